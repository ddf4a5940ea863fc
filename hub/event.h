// The event: one accepted change of one job, and the unit that every channel carries. A few events are of no job: they
// tell an owner of their webhooks.
//
// Threads: an event never changes once it is committed; any thread may read it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/job.h"
#include "hub/made_once.h"

namespace carillon::hub {

enum class EventKind : std::uint8_t {
  queued = 0,
  running = 1,
  progress = 2,
  succeeded = 3,
  failed = 4,
  webhook_disabled = 5,  ///< an endpoint is not sent to any more
  webhook_test = 6       ///< asked for by an endpoint's owner; told to that endpoint alone, and no part of the history
};

constexpr bool is_of_job(EventKind kind) { return kind <= EventKind::failed; }

/// "job.queued", "webhook.disabled" and so on, as webhooks and filters name them.
std::string_view to_text(EventKind kind);
/// Of what a filter may name: not "webhook.test".
std::optional<EventKind> parse_event_kind(std::string_view text);

/// The kind of event that reaching a status is.
constexpr EventKind kind_of(JobStatus status) {
  switch (status) {
    case JobStatus::queued:
      return EventKind::queued;
    case JobStatus::running:
      return EventKind::running;
    case JobStatus::succeeded:
      return EventKind::succeeded;
    case JobStatus::failed:
      return EventKind::failed;
  }
  return EventKind::queued;
}

/// A set of event kinds, as an endpoint's filter keeps it: one bit a kind.
struct EventKinds {
  std::uint8_t bits = 0;

  constexpr bool has(EventKind kind) const { return (bits >> static_cast<unsigned>(kind) & 1U) != 0; }
  constexpr EventKinds with(EventKind kind) const {
    return {static_cast<std::uint8_t>(bits | 1U << static_cast<unsigned>(kind))};
  }
  friend bool operator==(const EventKinds&, const EventKinds&) = default;
};

inline constexpr EventKinds final_events = EventKinds{}.with(EventKind::succeeded).with(EventKind::failed);

/// The forms an event is sent in. Each is made once, by the channel that first needs it, and shared from then on.
enum class Rendition : std::uint8_t {
  websocket_frame,           ///< a whole unmasked text frame with job_update
  websocket_frame_with_seq,  ///< the same for connections that asked to resume
  websocket_frame_deflated,  ///< each of the two for connections that agreed to permessage-deflate
  websocket_frame_with_seq_deflated,
  payload,       ///< as webhooks and the feed tell it
  stream_frame,  ///< the same as a Server-Sent Event
  count
};

struct Event {
  Seq seq = 0;  ///< 0 for webhook_test
  JobId job;
  JobOwner owner;
  EventKind kind = EventKind::queued;
  JobStatus status = JobStatus::queued;
  UnixMs at = 0;
  Text result;      ///< JSON; only where the job has succeeded with one
  Text error;       ///< UTF-8; only where the job has failed with one
  Text progress;    ///< JSON; only where this change set one
  Text data;        ///< a JSON object; of an event that is of no job, and then null above
  Text trace = {};  ///< which trace the request that brought it is a part of, for who passes it on; null: of none

  template <typename Make>
  const Text& rendition(Rendition form, Make&& make) const {
    return renditions_[static_cast<std::size_t>(form)].get(std::forward<Make>(make));
  }

 private:
  std::array<MadeOnce, static_cast<std::size_t>(Rendition::count)> renditions_;
};

using EventPtr = std::shared_ptr<const Event>;

}  // namespace carillon::hub
