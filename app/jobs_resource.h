// Submitting, reporting and erasing over HTTP: where the road begins.
//
// Threads: belongs to its loop.
#pragma once

#include <cstddef>

#include "app/road_log.h"
#include "app/submissions_under_way.h"
#include "channels/webhook/endpoint_url.h"
#include "hub/intake.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::app {

class JobsResource {
 public:
  struct Limits {
    std::size_t updates_max;
    std::size_t idempotency_key_bytes_max;
  };

  JobsResource(hub::Store& store, const hub::Intake& intake, const channels::webhook::UrlPolicy& urls,
               SubmissionsUnderWay& under_way, hub::CommitListener& home, Limits limits, const RoadLog* road_log)
      : store_(store),
        intake_(intake),
        urls_(urls),
        under_way_(under_way),
        home_(home),
        limits_(limits),
        road_log_(road_log) {}

  /// Other limits from now on, and where the road is told.
  void adjust(Limits limits, const RoadLog* road_log) {
    limits_ = limits;
    road_log_ = road_log;
  }

  /// POST /jobs: 201 with Location and the job, once it is on disk. With an Idempotency-Key that came before: the first
  /// answer again, and Idempotency-Replayed; 422 where it came with another body, 409 while the first is not answered.
  void submit(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

  /// PATCH /jobs/{id}: 200 and the job, once the change is on disk.
  void report(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

  /// POST /jobs/updates: 200 and what became of each, once all that was accepted is on disk: see UpdateList.
  void report_all(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

  /// DELETE /jobs/{id}: 204 once a final job is erased.
  void erase(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

 private:
  void submit_once(hub::Submission submission, hub::IdempotencyKey key, RoadLog::NotePtr note,
                   const net::http::Responder& responder);
  RoadLog::NotePtr note(const net::http::Request& request, const hub::Principal& who) const {
    return road_log_ != nullptr ? road_log_->note(request, who) : nullptr;
  }

  hub::Store& store_;
  const hub::Intake& intake_;
  const channels::webhook::UrlPolicy& urls_;
  SubmissionsUnderWay& under_way_;
  hub::CommitListener& home_;
  Limits limits_;
  const RoadLog* road_log_;  ///< null where the road is not logged
};

}  // namespace carillon::app
