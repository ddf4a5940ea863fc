// The hub, whole, in this process: the real store, loops, resources, channels and dispatcher, wired as
// app/hub_server.cpp does it, but with a clock in the trial's hand and wires in place of sockets. Webhooks leave by
// real ones.
//
// Threads: the trial's.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "app/disk_watch.h"
#include "app/health.h"
#include "app/metrics.h"
#include "app/rate_limits.h"
#include "app/serving_loop.h"
#include "app/watchdog.h"
#include "channels/webhook/dispatcher.h"
#include "hub/clock.h"
#include "hub/rules.h"
#include "tests/model/wire.h"

namespace carillon::model {

/// The time of day stands still but for what the trial lets pass; the loops' clocks run, and jump as far.
class Time final : public hub::Clock {
 public:
  hub::UnixMs now_ms() const override { return begin + passed_.load(); }
  net::MonotonicSource monotonic() const {
    return [this] { return net::steady_now_ms() + passed_.load(); };
  }
  std::int64_t passed_ms() const { return passed_.load(); }
  void pass(std::int64_t ms) { passed_ += ms; }

 private:
  static constexpr hub::UnixMs begin = 1'700'000'000'000;
  std::atomic<std::int64_t> passed_{0};
};

class RunningHub {
 public:
  /// Opens the database, and serves. Throws hub::StoreError.
  RunningHub(const std::string& folder, const Time& time, unsigned loops);
  /// Ends as a hub does that is told to, without saying goodbye to its clients.
  ~RunningHub();
  RunningHub(const RunningHub&) = delete;
  RunningHub& operator=(const RunningHub&) = delete;

  std::shared_ptr<Wire> connect(Arrivals& arrivals, const Weather& weather, std::uint64_t seed);
  /// Says goodbye to its clients, and lets webhooks that are under way arrive.
  void drain();

  /// All looks at the clock again.
  void time_has_passed();
  /// When it returns, all that was sent before has been read, and what came of it is on disk or refused, and told.
  void settle();

  hub::Store& store() { return *store_; }
  const std::string& epoch() const { return epoch_; }

 private:
  void each_loop_turns();

  const app::Adjustment adjustment_;
  const Time& time_;
  hub::Rules rules_;
  app::SubmissionsUnderWay under_way_;
  std::unique_ptr<hub::Store> store_;
  app::Watchdog watchdog_;
  app::DiskWatch disk_;
  app::Health health_;
  app::Metrics metrics_;
  channels::websocket::Admission admission_;
  channels::polling::WaitingRoom waiting_room_;
  app::LoopMemories memories_;
  std::string epoch_;
  std::vector<std::unique_ptr<app::ServingLoop>> loops_;
  std::unique_ptr<channels::webhook::Dispatcher> dispatcher_;
  std::size_t next_loop_ = 0;
};

}  // namespace carillon::model
