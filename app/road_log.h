// The road in the log, where `log.level` is debug: a line for each submission and report with what came of it, and for
// each attempt at a delivery. Of no job it tells what it holds; of no key more than its id.
//
//   2026-11-23T17:42:05.123Z debug submitted job=550e8400-… seq=41 key=key_… request=9f3b… trace_id=-
//   2026-11-23T17:42:05.125Z debug reported job=550e8400-… status=running seq=42 key=key_… request=9f3c… trace_id=-
//   2026-11-23T17:42:05.151Z debug attempted job=550e8400-… event=job.running seq=42 webhook=we_… delivery=dlv_…
//   msg=msg_… status=204 ms=12 outcome=delivered trace_id=-
//
// Threads: any.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/log.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/message.h"

namespace carillon::app {

class RoadLog {
 public:
  RoadLog(const Settings& settings, const hub::Clock& clock);

  /// What of a request outlives it, to tell what came of it. The log outlives it.
  class Note {
   public:
    Note(const Log& log, const net::http::Request& request, const hub::Principal& who);

    void submitted(const hub::Job& job, bool replayed) const;
    void reported(const hub::Job& job) const;
    /// Many at once; of those that were refused each has its reason in the answer.
    void reported(const hub::ReportOutcomes& outcomes) const;
    /// `job` is empty where many were asked about.
    void refused(std::string_view what, std::string_view job, hub::Refusal why) const;

   private:
    const Log& log_;
    const std::string key_;
    const std::string request_;
    const std::string trace_id_;
  };
  using NotePtr = std::shared_ptr<const Note>;

  NotePtr note(const net::http::Request& request, const hub::Principal& who) const {
    return std::make_shared<const Note>(log_, request, who);
  }

  void attempted(const hub::Delivery& delivery, const hub::Attempt& attempt) const;

 private:
  Log log_;
};

/// Whether such lines are written.
bool logs_road(const Settings::Log& settings);

}  // namespace carillon::app
