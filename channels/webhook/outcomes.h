// What came of attempts, on its way to the store: gathered, handed over together, and kept until it is on disk.
//
//   add() ──▶ gathered ──hand_over()──▶ at the store ──▶ recorded
//                ▲                          │
//                └──── refused: again after a pause
//
// While the store refuses they stay here; so whoever makes attempts looks at unrecorded() first, and stops at a bound.
//
// Threads: belongs to its loop.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "hub/store.h"
#include "hub/webhook.h"
#include "net/event_loop.h"

namespace carillon::channels::webhook {

class Outcomes final : private net::Timer {
 public:
  /// Called with what a commit has brought to disk.
  using Recorded = std::function<void(const std::vector<hub::Attempt>&)>;

  /// The store answers through `home`, on the loop. All outlive this.
  Outcomes(hub::Store& store, hub::CommitListener& home, net::EventLoop& loop, Recorded recorded);

  void add(hub::Attempt attempt);

  /// All that is gathered, in one change; nothing while the store is left alone after a refusal.
  void hand_over();
  /// The same for the last time, refusal or not: what is refused now is made again after the next start.
  void hand_over_the_last();

  /// Those gathered and those at the store.
  std::size_t unrecorded() const { return gathered_.size() + at_store_; }

 private:
  void on_timer() override { hand_over(); }
  void answered(std::vector<hub::Attempt> attempts, const hub::Outcome<hub::Done>& outcome);

  hub::Store& store_;
  hub::CommitListener& home_;
  net::EventLoop& loop_;
  Recorded recorded_;
  std::vector<hub::Attempt> gathered_;
  std::size_t at_store_ = 0;
};

}  // namespace carillon::channels::webhook
