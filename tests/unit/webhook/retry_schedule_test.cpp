#include "channels/webhook/retry_schedule.h"

#include <gtest/gtest.h>

#include <limits>

namespace carillon::channels::webhook {
namespace {

constexpr std::uint64_t middle = std::uint64_t{1} << 63U;
constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

const RetrySchedule schedule({0, 5'000, 30'000});

TEST(RetrySchedule, EachFailureHasItsDelayAndThenThereIsNoOther) {
  EXPECT_EQ(schedule.delay_ms(1, middle), 0);
  EXPECT_EQ(schedule.delay_ms(2, middle), 5'000);
  EXPECT_EQ(schedule.delay_ms(3, middle), 30'000);
  EXPECT_EQ(schedule.delay_ms(4, middle), std::nullopt);
}

TEST(RetrySchedule, JitterIsAFifthEitherWay) {
  EXPECT_EQ(schedule.delay_ms(3, 0), 24'000);
  EXPECT_EQ(schedule.delay_ms(3, most), 36'000);
  EXPECT_EQ(schedule.delay_ms(1, most), 0);
}

TEST(RetrySchedule, RetryAfterIsHonouredUpToAnHour) {
  EXPECT_EQ(schedule.delay_ms(1, middle, 7), 7'000);
  EXPECT_EQ(schedule.delay_ms(3, middle, 7), 30'000) << "it does not come sooner than the schedule has it";
  EXPECT_EQ(schedule.delay_ms(1, middle, 86'400), 3'600'000);
  EXPECT_EQ(schedule.delay_ms(1, middle, -5), 0);
  EXPECT_EQ(schedule.delay_ms(4, middle, 7), std::nullopt);
}

}  // namespace
}  // namespace carillon::channels::webhook
