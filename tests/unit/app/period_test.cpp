#include "app/period.h"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

TEST(Period, IsAWholeNumberAndItsUnit) {
  EXPECT_EQ(parse_period_s("90s"), 90);
  EXPECT_EQ(parse_period_s("15m"), 900);
  EXPECT_EQ(parse_period_s("12h"), 43'200);
  EXPECT_EQ(parse_period_s("30d"), 2'592'000);
  EXPECT_EQ(parse_period_s("0s"), 0);
  for (const char* text : {"", "s", "90", "-1s", "+1s", "1.5h", "1 h", "1w", "1hh", "999999999999d", "h1"}) {
    EXPECT_EQ(parse_period_s(text), std::nullopt) << text;
  }
}

TEST(Moment, IsATimeOrHowLongAgo) {
  constexpr hub::UnixMs now = 1'730'451'148'999;
  EXPECT_EQ(parse_moment("1730451148", now), 1'730'451'148'000);
  EXPECT_EQ(parse_moment("2024-11-01T08:52:28Z", now), 1'730'451'148'000);
  EXPECT_EQ(parse_moment("2h", now), now - 7'200'000);
  EXPECT_EQ(parse_moment("0s", now), now);
  for (const char* text : {"", "yesterday", "2024-11-01", "-5", "1.5"}) {
    EXPECT_EQ(parse_moment(text, now), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace carillon::app
