// What a store counts of its work.
//
// Threads: kept by the store's own thread, read by any.
#pragma once

#include <array>

#include "hub/event.h"
#include "hub/tally.h"

namespace carillon::hub {

/// Those that are part of the history.
inline constexpr std::array event_kinds{EventKind::queued,    EventKind::running, EventKind::progress,
                                        EventKind::succeeded, EventKind::failed,  EventKind::webhook_disabled};
inline constexpr std::array<double, 10> commit_changes_bounds{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

struct StoreTallies {
  std::array<Tally, event_kinds.size()> events;  ///< committed, by kind
  Tally commits;
  Tally deliveries_pending;  ///< a gauge: all that is owed, due or not
  /// A gauge: when the commit (or the look whether one is possible) that is under way began, in milliseconds of
  /// std::chrono::steady_clock; 0: none is. By it others see one that hangs.
  Tally commit_begun_ms;
  Distribution commit_changes{commit_changes_bounds};  ///< answered in one commit, those that broke a rule included
  Distribution commit_seconds{duration_bounds_s};      ///< from the beginning of the transaction until it is durable

  Tally& events_of(EventKind kind) { return events[static_cast<std::size_t>(kind)]; }
  const Tally& events_of(EventKind kind) const { return events[static_cast<std::size_t>(kind)]; }
};

}  // namespace carillon::hub
