#include "net/rate_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace carillon::net {
namespace {

constexpr MonotonicMs start_ms = 12'345'678;
constexpr TokenBucket::Rate rate{.per_second = 10, .burst = 10};

TEST(RateTable, CountsEachCallerByItself) {
  RateTable table(1024);
  for (std::uint64_t who = 1; who <= 50; ++who) {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(table.take(who, start_ms, rate).taken) << who << ' ' << i;
  }
  for (std::uint64_t who = 1; who <= 50; ++who) {
    const auto outcome = table.take(who, start_ms, rate);
    EXPECT_FALSE(outcome.taken) << who;
    EXPECT_EQ(outcome.wait_ms, 100) << who;
    EXPECT_TRUE(table.take(who, start_ms + 100, rate).taken) << who;
    EXPECT_FALSE(table.take(who, start_ms + 100, rate).taken) << who;
  }
}

// One set of eight: those who have least are kept, and whoever is forgotten is let through, not kept out.
TEST(RateTable, IsBoundedAndForgetsWhoHasUsedLeast) {
  RateTable table(1);
  for (std::uint64_t who = 1; who <= 8; ++who) {
    for (std::uint64_t i = 0; i < 11 - who; ++i) EXPECT_TRUE(table.take(who, start_ms, rate).taken);
  }
  EXPECT_EQ(table.take(9, start_ms, rate).left, 9U) << "in the place of 8, who had taken three";
  EXPECT_FALSE(table.take(1, start_ms, rate).taken);
  EXPECT_EQ(table.take(2, start_ms, rate).left, 0U);
  EXPECT_EQ(table.take(8, start_ms, rate).left, 9U) << "in the place of 9";
  EXPECT_FALSE(table.take(1, start_ms, rate).taken);
}

TEST(RateTable, APlaceIsFreeAgainWhenItsBucketIsFull) {
  RateTable table(1);
  for (std::uint64_t who = 1; who <= 8; ++who) table.take(who, start_ms, rate);
  for (std::uint64_t who = 11; who <= 18; ++who) EXPECT_EQ(table.take(who, start_ms + 100, rate).left, 9U);
  for (std::uint64_t who = 11; who <= 18; ++who) EXPECT_EQ(table.take(who, start_ms + 100, rate).left, 8U) << who;
}

TEST(RateTable, ManyThreadsTakeNoMoreThanThereIs) {
  RateTable table(64);
  constexpr TokenBucket::Rate wide{.per_second = 1'000, .burst = 1'000'000};
  std::atomic<bool> begin{false};
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (!begin) std::this_thread::yield();
      int mine = 0;
      for (int i = 0; i < 500'000; ++i) mine += table.take(7, start_ms, wide).taken ? 1 : 0;
      taken += mine;
    });
  }
  begin = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken, 1'000'000);
}

}  // namespace
}  // namespace carillon::net
