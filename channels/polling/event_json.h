// An event in a list of events, and a page of them:
//
//   {"seq":42,"type":"job.succeeded","timestamp":"2026-11-23T17:42:05Z","data":{…}}
//   {"events":[…],"next_after":42,"has_more":false,"epoch":"…"}
//
// Behind its number an event is what webhooks tell of it, to the byte.
//
// Threads: pure functions; a page belongs to one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "channels/event_payload.h"
#include "hub/event.h"
#include "net/http/body.h"

namespace carillon::channels::polling {

void append_event(std::string& out, const hub::Event& event, const PayloadOptions& options);

class FeedPage {
 public:
  void add(const hub::Event& event, const PayloadOptions& options);
  /// The whole page, as a body that may be sent to many; no more is added then. All that there is up to `next_after` is
  /// on it or was before it.
  net::http::Body end(hub::Seq next_after, bool has_more, std::string_view epoch);

  std::size_t events() const { return events_; }
  /// Of the events.
  std::size_t bytes() const { return text_.size() - opening.size(); }

 private:
  static constexpr std::string_view opening = R"({"events":[)";

  std::string text_{opening};
  std::size_t events_ = 0;
};

}  // namespace carillon::channels::polling
