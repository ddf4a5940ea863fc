// The watchdog: whether the hub turns. A hub that is stuck and says that it is well is worse than one that has died,
// which is at least started again.
//
// A loop is asked, twice a second, by a message that it has to answer in its turn; how long that takes is how long
// everything else on that loop waits. One that does not answer in time is stuck: in a handler that does not return, in
// a write that blocks, in a wake-up that was lost. The store is stuck when one commit takes too long; it says itself
// since when there is one under way.
//
// Costs a loop one message of a few microseconds each time, the road nothing, and an unanswered question is not asked
// again.
//
// Threads: watch() before start(); stuck(), turns() and lags() from any, at any time, without waiting for anything.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hub/store_tallies.h"
#include "hub/tally.h"
#include "net/event_loop.h"

namespace carillon::app {

class Watchdog {
 public:
  /// After which a part is stuck; 0: it is not watched.
  struct Limits {
    net::MonotonicMs loop_ms = 10'000;
    net::MonotonicMs commit_ms = 30'000;
  };

  /// A part that is stuck, and for how long.
  struct Stuck {
    std::string part;  ///< "loop-0", "webhooks", "store"
    net::MonotonicMs for_ms = 0;
  };

  /// What a loop took to answer.
  struct Lag {
    std::string_view part;
    const hub::Distribution& seconds;
  };

  /// The tallies outlive it. The clock is that of std::chrono::steady_clock, or a test's.
  Watchdog(const hub::StoreTallies& store, const Limits& limits, net::MonotonicSource clock = net::steady_now_ms);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// Watches a loop under that name. The loop outlives the watch; what it was asked last may be answered until the
  /// loop has ended, and the watchdog outlives that.
  void watch(std::string part, net::EventLoop& loop);

  /// Begins to ask; the loops run.
  void start();
  /// Asks no more, and takes nobody for stuck any more but the store. Idempotent.
  void stop();

  /// What does not turn now; empty: everything turns.
  std::vector<Stuck> stuck() const;
  /// False for a watched loop that is stuck.
  bool turns(const net::EventLoop& loop) const;
  std::vector<Lag> lags() const;
  /// The names of all that is watched, the store among them.
  std::vector<std::string_view> parts() const;

  /// One round of questions. The watchdog's own thread does so; a test may instead.
  void ask();

 private:
  struct Part {
    Part(std::string its_name, net::EventLoop& its_loop) : name(std::move(its_name)), loop(its_loop) {}
    const std::string name;
    net::EventLoop& loop;
    std::chrono::steady_clock::time_point asked_at{};  ///< for the loop to measure by
    std::atomic<net::MonotonicMs> unanswered_since_ms{0};
    hub::Distribution lag_seconds{hub::duration_bounds_s};  ///< kept by the loop's thread
  };

  void run();
  /// For how long it has not answered, where that is too long; else 0.
  net::MonotonicMs stuck_for_ms(const Part& part) const;

  const hub::StoreTallies& store_;
  const Limits limits_;
  const net::MonotonicSource clock_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::atomic<bool> watching_{false};

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace carillon::app
