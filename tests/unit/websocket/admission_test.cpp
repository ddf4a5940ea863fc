#include "channels/websocket/admission.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

namespace carillon::channels::websocket {
namespace {

constexpr net::MonotonicMs start_ms = 12'345'678;

// --- HandshakeGate ---------------------------------------------------------------------------------------------------

// 500 clients come at once and each returns when it was told: they are let in at the rate, each refused once.
TEST(HandshakeGate, LetsAFleetThatReconnectsAtOnceInEvenly) {
  constexpr std::uint32_t per_second = 50;
  HandshakeGate gate(per_second, 60);
  std::map<int, int> told;
  for (int i = 0; i < 500; ++i) ++told[gate.ask(start_ms)];
  EXPECT_EQ(told.size(), 10U);
  for (int second = 0; second < 10; ++second) EXPECT_EQ(told[second], 50) << second;
  for (int second = 1; second < 10; ++second) {
    for (int i = 0; i < told[second]; ++i) {
      EXPECT_EQ(gate.ask(start_ms + second * 1000), 0) << "refused twice, in second " << second;
    }
  }
}

// Clients are never quite punctual, and others come between.
TEST(HandshakeGate, LetsInNoMoreThanTheRateAndEveryoneInTheEnd) {
  constexpr std::uint32_t per_second = 40;
  HandshakeGate gate(per_second, 60);
  std::multimap<net::MonotonicMs, int> coming;  // when, and how often refused
  for (int i = 0; i < 500; ++i) coming.emplace(start_ms + i % 7, 0);
  for (int i = 0; i < 100; ++i) coming.emplace(start_ms + i * 50, 0);
  std::map<net::MonotonicMs, int> let_in;
  int refused_most = 0;
  while (!coming.empty()) {
    const auto [now_ms, refused] = *coming.begin();
    coming.erase(coming.begin());
    const int retry_after_s = gate.ask(now_ms);
    if (retry_after_s == 0) {
      ++let_in[(now_ms - start_ms) / 1000];
    } else {
      refused_most = std::max(refused_most, refused + 1);
      coming.emplace(now_ms + retry_after_s * 1000 + now_ms % 13, refused + 1);
    }
  }
  EXPECT_LE(let_in.rbegin()->first, 20) << "600 at 40 a second";
  EXPECT_LE(refused_most, 4);
  for (const auto& [second, count] : let_in) EXPECT_LE(count, second == 0 ? 80 : 41) << second;
}

TEST(HandshakeGate, TellsNobodyMoreThanTheMost) {
  HandshakeGate gate(1, 5);
  EXPECT_EQ(gate.ask(start_ms), 0);
  std::map<int, int> told;
  for (int i = 0; i < 50; ++i) ++told[gate.ask(start_ms)];
  EXPECT_EQ(told, (std::map<int, int>{{1, 10}, {2, 10}, {3, 10}, {4, 10}, {5, 10}}));
}

TEST(HandshakeGate, WithoutARateEveryoneComesIn) {
  HandshakeGate gate(0, 60);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(gate.ask(start_ms), 0);
}

// --- Admission -------------------------------------------------------------------------------------------------------

Admission::Entry enter(Admission& admission, hub::KeyId key) {
  KeyShare* share = nullptr;
  return admission.enter(key, share);
}

TEST(Admission, TakesAsManyAsItHasRoomFor) {
  Admission admission({.connections_max = 2});
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
  EXPECT_FALSE(admission.full());
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
  EXPECT_TRUE(admission.full());
  EXPECT_EQ(enter(admission, {2}), Admission::Entry::hub_is_full);
  admission.leave({1});
  EXPECT_EQ(enter(admission, {2}), Admission::Entry::admitted);
  EXPECT_EQ(admission.connections(), 2U);
}

TEST(Admission, AKeysConnectionsAreItsOwn) {
  Admission admission({.connections_max = 10, .connections_per_key_max = 1});
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::key_is_full);
  EXPECT_EQ(enter(admission, {2}), Admission::Entry::admitted);
  EXPECT_EQ(admission.connections(), 2U) << "who is turned away takes no room";
  admission.leave({1});
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
}

TEST(Admission, AllConnectionsOfAKeyHaveOneShare) {
  Admission admission({.subscriptions_per_key_max = 5});
  KeyShare* one = nullptr;
  KeyShare* two = nullptr;
  KeyShare* other = nullptr;
  admission.enter({1}, one);
  admission.enter({1}, two);
  admission.enter({2}, other);
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one, two);
  EXPECT_NE(one, other);
  one->subscriptions = 3;
  admission.leave({1});
  EXPECT_EQ(two->subscriptions, 3U) << "kept while there is one";
}

TEST(Admission, OtherLimitsHoldForThoseWhoCame) {
  Admission admission({});
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
  admission.set_limits({.connections_max = 3, .connections_per_key_max = 2, .handshakes_per_second = 1});
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::key_is_full) << "those from before the limit count";
  EXPECT_EQ(admission.handshake(1'000), 0);
  EXPECT_GT(admission.handshake(1'000), 0);
  admission.leave({1});
  EXPECT_EQ(enter(admission, {1}), Admission::Entry::admitted);
  admission.set_limits({.connections_max = 2});
  EXPECT_TRUE(admission.full());
  EXPECT_EQ(enter(admission, {2}), Admission::Entry::hub_is_full);
  EXPECT_EQ(admission.handshake(1'000), 0);
  admission.leave({1});
  admission.leave({1});
  EXPECT_EQ(admission.connections(), 0U);
}

TEST(Admission, CountsRightForManyLoopsAtOnce) {
  constexpr std::size_t most = 5;
  Admission admission({.connections_max = 8, .connections_per_key_max = most});
  std::atomic<std::size_t> inside{0};
  std::atomic<std::size_t> inside_max{0};
  std::vector<std::thread> loops;
  for (int i = 0; i < 4; ++i) {
    loops.emplace_back([&] {
      for (int n = 0; n < 20'000; ++n) {
        if (enter(admission, {7}) != Admission::Entry::admitted) continue;
        const std::size_t now = ++inside;
        for (std::size_t seen = inside_max; seen < now && !inside_max.compare_exchange_weak(seen, now);) continue;
        --inside;
        admission.leave({7});
      }
    });
  }
  for (auto& loop : loops) loop.join();
  EXPECT_LE(inside_max, most);
  EXPECT_EQ(admission.connections(), 0U);
}

TEST(Admission, HoldsBackNoMoreAnswersThanItMay) {
  Admission admission({.held_max = 1});
  EXPECT_TRUE(admission.hold());
  EXPECT_FALSE(admission.hold());
  admission.let_go();
  EXPECT_TRUE(admission.hold());
}

}  // namespace
}  // namespace carillon::channels::websocket
