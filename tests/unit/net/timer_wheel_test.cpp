#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

namespace carillon::net {
namespace {

struct Probe final : Timer {
  std::function<void()> then;
  int fired = 0;
  MonotonicMs at_ms = 0;

 private:
  void on_timer() override {
    ++fired;
    if (then) then();
  }
};

TEST(TimerWheel, FiresAtItsTimeAndNotBefore) {
  TimerWheel wheel(1'000'000);
  Probe probe;
  wheel.set(probe, 1'000'500);
  wheel.advance(1'000'499);
  EXPECT_EQ(probe.fired, 0);
  wheel.advance(1'000'500 + TimerWheel::tick_ms);
  EXPECT_EQ(probe.fired, 1);
  EXPECT_FALSE(probe.pending());
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, MovingATimerForgetsItsFormerTime) {
  TimerWheel wheel(0);
  Probe probe;
  wheel.set(probe, 100);
  wheel.set(probe, 10'000);
  wheel.advance(9'000);
  EXPECT_EQ(probe.fired, 0);
  wheel.advance(10'100);
  EXPECT_EQ(probe.fired, 1);
}

TEST(TimerWheel, ATimerThatIsDestroyedDoesNotFire) {
  TimerWheel wheel(0);
  int fired = 0;
  {
    Probe probe;
    probe.then = [&] { ++fired; };
    wheel.set(probe, 100);
  }
  wheel.advance(1'000);
  EXPECT_EQ(fired, 0);
  EXPECT_FALSE(wheel.idle_ms(1'000).has_value());
}

TEST(TimerWheel, ATimerMaySetItselfAgainWhileItFires) {
  TimerWheel wheel(0);
  Probe probe;
  probe.then = [&] { wheel.set(probe, 0); };
  wheel.set(probe, 16);
  for (MonotonicMs now = 16; now <= 160; now += 16) wheel.advance(now);
  EXPECT_EQ(probe.fired, 10) << "once a tick, never twice in one";
}

TEST(TimerWheel, ATimerMayCancelAnotherOfTheSameTick) {
  TimerWheel wheel(0);
  Probe first;
  Probe second;
  first.then = [&] { second.cancel(); };
  wheel.set(first, 100);
  wheel.set(second, 100);
  wheel.advance(200);
  EXPECT_EQ(first.fired, 1);
  EXPECT_EQ(second.fired, 0);
}

// However far away timers are and in whatever steps time goes: none early, none later than a tick, each once; and
// sleeping for idle_ms() each time oversleeps none.
TEST(TimerWheel, HoldsItsPromiseForRandomTimers) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    MonotonicMs now = 12'345'678;
    TimerWheel wheel(now);
    std::vector<Probe> probes(500);
    for (Probe& probe : probes) {
      probe.at_ms = now + static_cast<MonotonicMs>(random() % (std::uint64_t{1} << (random() % 26)));
      probe.then = [&now, &probe, seed] {
        EXPECT_GE(now, probe.at_ms) << "early, seed " << seed;
        EXPECT_LE(now, probe.at_ms + 2 * TimerWheel::tick_ms) << "late, seed " << seed;
      };
      wheel.set(probe, probe.at_ms);
    }
    while (const auto idle = wheel.idle_ms(now)) {
      now += *idle;
      wheel.advance(now);
    }
    for (const Probe& probe : probes) EXPECT_EQ(probe.fired, 1) << "seed " << seed;
  }
}

}  // namespace
}  // namespace carillon::net
