// What is to be sent to one endpoint: a bounded window of due deliveries in memory, the rest in the table.
//
//   on disk ──refill()──▶ ready ──next()──▶ under way ──▶ outcome handed to the store ──committed──▶ forgotten
//        (or offer(), straight from the commit that wrote it, while nothing older waits on disk)
//
// From `ready` on a delivery is *held* until its outcome is committed: until then the table still calls it due, and it
// must not be taken up a second time.
//
// An ordered endpoint has one delivery at a time under way, and the next only when the outcome of that is committed:
// the table gives its deliveries in the order of their events, so one that is to be tried again comes before all later
// ones.
//
// Threads: the dispatcher's.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_set>

#include "channels/webhook/endpoint_health.h"
#include "channels/webhook/pace.h"
#include "channels/webhook/target.h"
#include "channels/webhook/window_budget.h"
#include "hub/store.h"
#include "hub/webhook.h"

namespace carillon::channels::webhook {

/// A delivery in the window.
struct Waiting {
  hub::Delivery delivery;
  /// When its event was durable; none where it was read from disk, for a try after the first or after a restart.
  std::optional<std::chrono::steady_clock::time_point> durable_at;
};

class EndpointQueue {
 public:
  static constexpr hub::UnixMs never = std::numeric_limits<hub::UnixMs>::max();

  struct Limits {
    std::size_t ready_max = 64;     ///< deliveries in `ready`
    std::size_t requests_max = 16;  ///< under way at one time
  };

  /// `budget` is shared by all queues and outlives them.
  EndpointQueue(hub::EndpointId id, const Limits& limits, WindowBudget& budget)
      : health(limits.requests_max), id_(id), ready_max_(limits.ready_max), budget_(budget) {}
  ~EndpointQueue() { put_back_ready(); }
  EndpointQueue(const EndpointQueue&) = delete;
  EndpointQueue& operator=(const EndpointQueue&) = delete;

  hub::EndpointId id() const { return id_; }

  /// What a job held is not to be told any more: true where something of it was ready, which is read anew from the
  /// table.
  bool forget(const hub::JobId& job);

  /// News of a delivery: taken in, or noted to be on disk until it is due.
  void offer(const hub::DeliveryNotice& notice, std::chrono::steady_clock::time_point durable_at, hub::UnixMs now);

  /// There may be something on disk that is due at `due_at`.
  void note_on_disk(hub::UnixMs due_at) { disk_due_at_ = std::min(disk_due_at_, due_at); }
  hub::UnixMs disk_due_at() const { return disk_due_at_; }
  /// An ordered one does not look for the next before it is known what became of the last: that may have to come again.
  bool wants_refill(hub::UnixMs now) const {
    return ready_.empty() && disk_due_at_ <= now && !(ordered && in_progress());
  }
  /// Takes in what is due, as much as the window and the budget have room for, and one at least. Throws
  /// hub::StoreError.
  void refill(hub::Reader& reader, hub::UnixMs now);

  bool has_ready() const { return !ready_.empty(); }
  const hub::Delivery& front() const { return ready_.front().delivery; }
  /// The longest due; it is under way from then on.
  Waiting next();
  /// What `ready` holds goes back to where it came from: the table.
  void put_back_ready();

  /// The outcome of a delivery is committed.
  void release(hub::DeliveryId delivery) { held_.erase(delivery); }
  /// Whether something is under way, or its outcome not committed yet.
  bool in_progress() const { return held_.size() > ready_.size(); }

  bool idle() const { return held_.empty() && disk_due_at_ == never; }
  /// Since when the longest due has been due; none while nothing waits.
  std::optional<hub::UnixMs> oldest_due_at() const;

  EndpointHealth health;
  Pace pace;
  std::size_t under_way = 0;       ///< requests
  std::unique_ptr<Target> target;  ///< as the store has the endpoint; null: to be looked up
  bool ordered = false;            ///< as `target` said last
  bool in_line = false;            ///< waits for its turn at the dispatcher
  hub::UnixMs wakes_at = never;    ///< when the dispatcher looks at it again
  bool kept_idle = false;          ///< stands in the dispatcher's list of those that may be idle

 private:
  void take_in(Waiting waiting);

  hub::EndpointId id_;
  std::size_t ready_max_;
  WindowBudget& budget_;
  std::deque<Waiting> ready_;
  std::unordered_set<hub::DeliveryId> held_;
  hub::UnixMs disk_due_at_ = never;
};

}  // namespace carillon::channels::webhook
