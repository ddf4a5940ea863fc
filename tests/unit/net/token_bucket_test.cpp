#include "net/token_bucket.h"

#include <gtest/gtest.h>

namespace carillon::net {
namespace {

constexpr MonotonicMs start_ms = 12'345'678;

TEST(TokenBucket, GivesASecondsWorthAtOnceAndThenTheRate) {
  TokenBucket bucket;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(bucket.take(start_ms, 10)) << i;
  EXPECT_FALSE(bucket.take(start_ms, 10));
  EXPECT_FALSE(bucket.take(start_ms + 99, 10));
  EXPECT_TRUE(bucket.take(start_ms + 100, 10));
  EXPECT_FALSE(bucket.take(start_ms + 100, 10));
}

TEST(TokenBucket, HoldsNoMoreHoweverLongItIsLeft) {
  TokenBucket bucket;
  EXPECT_TRUE(bucket.take(start_ms, 3));
  int taken = 0;
  while (bucket.take(start_ms + 3'600'000, 3)) ++taken;
  EXPECT_EQ(taken, 3);
}

TEST(TokenBucket, GivesNoMoreThanTheRateInTheLongRun) {
  for (const std::uint32_t per_second : {1U, 7U, 1'000U, 33'333U, 1'000'000U}) {
    TokenBucket bucket;
    std::uint64_t taken = 0;
    for (MonotonicMs now_ms = start_ms; now_ms < start_ms + 5'000; ++now_ms) {
      while (bucket.take(now_ms, per_second)) ++taken;
    }
    EXPECT_GE(taken, std::uint64_t{per_second} * 5) << per_second;
    EXPECT_LE(taken, std::uint64_t{per_second} * 6) << per_second << ": five seconds and what was there before";
  }
}

TEST(TokenBucket, SaysWhatIsLeftAndWhenToComeAgain) {
  TokenBucket bucket;
  constexpr TokenBucket::Rate rate{.per_second = 2, .burst = 6};
  for (std::uint32_t left = 6; left-- > 0;) {
    const TokenBucket::Outcome outcome = bucket.ask(start_ms, rate);
    EXPECT_TRUE(outcome.taken);
    EXPECT_EQ(outcome.left, left);
    EXPECT_EQ(outcome.wait_ms, 0);
    EXPECT_EQ(outcome.full_in_ms, (6 - left) * 500);
  }
  TokenBucket::Outcome outcome = bucket.ask(start_ms + 100, rate);
  EXPECT_FALSE(outcome.taken);
  EXPECT_EQ(outcome.left, 0U);
  EXPECT_EQ(outcome.wait_ms, 400);
  EXPECT_EQ(outcome.full_in_ms, 2'900);

  EXPECT_TRUE(bucket.ask(start_ms + 100 + outcome.wait_ms, rate).taken) << "who comes when it was told to is let in";
  outcome = bucket.ask(start_ms + 60'000, rate);
  EXPECT_EQ(outcome.left, 5U) << "no more than the burst, however long it is left";
}

}  // namespace
}  // namespace carillon::net
