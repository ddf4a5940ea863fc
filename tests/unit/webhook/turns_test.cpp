#include "channels/webhook/turns.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "channels/webhook/pace.h"

namespace carillon::channels::webhook {
namespace {

TEST(Turns, AccountsTakeTurnsHoweverManyEndpointsTheyHave) {
  Turns turns;
  for (int i = 1; i <= 1'000; ++i) turns.add({1}, {i});
  turns.add({2}, {2'000});
  turns.add({3}, {3'000});
  std::vector<std::int64_t> first;
  for (int i = 0; i < 6; ++i) first.push_back(turns.take().value);
  EXPECT_EQ(first, (std::vector<std::int64_t>{1, 2'000, 3'000, 2, 3, 4}));
}

TEST(Turns, EndpointsOfAnAccountTakeTurns) {
  Turns turns;
  std::map<std::int64_t, int> times;
  for (int id = 1; id <= 3; ++id) turns.add({1}, {id});
  for (int i = 0; i < 300; ++i) {
    const auto id = turns.take();
    ++times[id.value];
    turns.add({1}, id);
  }
  for (int id = 1; id <= 3; ++id) EXPECT_EQ(times[id], 100);
}

TEST(Turns, WhoHasLeftAndComesAgainIsInLineOnce) {
  Turns turns;
  for (int i = 1; i <= 5'000; ++i) turns.add({i}, {i});
  for (int i = 1; i <= 5'000; ++i) EXPECT_EQ(turns.take().value, i);
  EXPECT_TRUE(turns.empty());
  turns.add({7}, {70});
  EXPECT_EQ(turns.take().value, 70);
  EXPECT_TRUE(turns.empty());
}

/// Asks every `step_ms` whether a request may begin, for ten seconds; returns when they did.
std::vector<net::MonotonicMs> begun(int per_second, net::MonotonicMs step_ms) {
  Pace pace;
  pace.set(per_second);
  std::vector<net::MonotonicMs> times;
  for (net::MonotonicMs now = 1'000'000; now < 1'010'000; now += step_ms) {
    while (pace.next_ms() <= now && times.size() < 100'000) {
      pace.count(now);
      times.push_back(now);
      if (per_second == 0) break;
    }
  }
  return times;
}

TEST(Pace, NoSecondHasMoreThanWasAskedFor) {
  for (const int per_second : {1, 5, 50, 1'000, 3'000}) {
    const auto times = begun(per_second, 16);
    for (std::size_t i = 0; i < times.size(); ++i) {
      std::size_t end = i;
      while (end < times.size() && times[end] < times[i] + 1'000) ++end;
      EXPECT_LE(end - i, static_cast<std::size_t>(per_second) * 1'020 / 1'000 + 1) << per_second;
    }
    EXPECT_GE(times.size(), static_cast<std::size_t>(per_second) * 10 * 95 / 100) << "late timers are made up for";
  }
}

TEST(Pace, WithoutALimitThereIsNone) {
  Pace pace;
  pace.set(0);
  pace.count(1'000'000);
  EXPECT_LE(pace.next_ms(), 1'000'000);
}

}  // namespace
}  // namespace carillon::channels::webhook
