// What is to be sent to one endpoint: a bounded window of due deliveries in memory, the rest in the table.
//
//   on disk ──refill()──▶ ready ──next()──▶ under way ──▶ outcome handed to the store ──committed──▶ forgotten
//        (or offer(), straight from the commit that wrote it, while nothing older waits on disk)
//
// From `ready` on a delivery is *held* until its outcome is committed: until then the table still calls it due, and it
// must not be taken up a second time.
//
// Threads: the dispatcher's.
#pragma once

#include <cstddef>
#include <deque>
#include <limits>
#include <optional>
#include <unordered_set>
#include <vector>

#include "hub/store.h"
#include "hub/webhook.h"

namespace carillon::channels::webhook {

class EndpointQueue {
 public:
  static constexpr hub::UnixMs never = std::numeric_limits<hub::UnixMs>::max();

  EndpointQueue(hub::EndpointId id, std::size_t ready_max) : id_(id), ready_max_(ready_max) {}

  hub::EndpointId id() const { return id_; }

  /// News of a delivery: taken in, or noted to be on disk until it is due.
  void offer(const hub::DeliveryNotice& notice, hub::UnixMs now);

  /// There may be something on disk that is due at `due_at`.
  void note_on_disk(hub::UnixMs due_at) { disk_due_at_ = std::min(disk_due_at_, due_at); }
  hub::UnixMs disk_due_at() const { return disk_due_at_; }
  bool wants_refill(hub::UnixMs now) const { return ready_.empty() && disk_due_at_ <= now; }
  /// Takes in what is due. Throws hub::StoreError.
  void refill(hub::Reader& reader, hub::UnixMs now);

  bool has_ready() const { return !ready_.empty(); }
  /// The longest due; it is under way from then on.
  hub::Delivery next();
  /// What `ready` holds goes back to where it came from: the table.
  void put_back_ready();

  /// The outcome of a delivery is committed.
  void release(hub::DeliveryId delivery) { held_.erase(delivery); }

  bool idle() const { return held_.empty() && disk_due_at_ == never; }

  std::size_t under_way = 0;              ///< requests
  std::optional<hub::Endpoint> endpoint;  ///< as the store has it; none: to be looked up
  bool in_turn = false;                   ///< waits for its turn at the dispatcher

 private:
  hub::EndpointId id_;
  std::size_t ready_max_;
  std::deque<hub::Delivery> ready_;
  std::unordered_set<hub::DeliveryId> held_;
  hub::UnixMs disk_due_at_ = never;
};

}  // namespace carillon::channels::webhook
