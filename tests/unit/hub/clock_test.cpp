#include "hub/clock.h"

#include <gtest/gtest.h>

#include "hub/even_time.h"

namespace carillon::hub {
namespace {

TEST(Clock, WritesRfc3339) {
  EXPECT_EQ(rfc3339_seconds(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339_seconds(1'730'451'148'999), "2024-11-01T08:52:28Z");
  EXPECT_EQ(rfc3339_ms(951'782'400'007), "2000-02-29T00:00:00.007Z");
}

TEST(Clock, ReadsRfc3339) {
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_rfc3339("2024-11-01T08:52:28Z"), 1'730'451'148'000);
  EXPECT_EQ(parse_rfc3339("2024-11-01t08:52:28z"), 1'730'451'148'000);
  EXPECT_EQ(parse_rfc3339("2024-11-01T08:52:28.5Z"), 1'730'451'148'500);
  EXPECT_EQ(parse_rfc3339("2024-11-01T08:52:28.0479999999999Z"), 1'730'451'148'047);
  EXPECT_EQ(parse_rfc3339("2024-11-01T09:52:28+01:00"), 1'730'451'148'000);
  EXPECT_EQ(parse_rfc3339("2024-10-31T22:22:28-10:30"), 1'730'451'148'000);
  EXPECT_EQ(parse_rfc3339("2024-11-01T08:52:28-00:00"), 1'730'451'148'000);
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00.007Z"), 951'782'400'007);
  EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59.999Z"), -1);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), 1'483'228'800'000);
  EXPECT_EQ(parse_rfc3339("2017-01-01T00:59:60+01:00"), 1'483'228'800'000);
  for (const UnixMs time : {UnixMs{0}, UnixMs{1'730'451'148'999}, UnixMs{-62'167'219'200'000}}) {
    EXPECT_EQ(parse_rfc3339(rfc3339_ms(time)), time);
  }
}

TEST(Clock, RefusesWhatIsNotRfc3339) {
  for (const char* text : {"",
                           "now",
                           "1730451148",
                           "2024-11-01",
                           "2024-11-01T08:52:28",
                           "2024-11-01T08:52Z",
                           "2024-11-01 08:52:28Z",
                           "2024-11-1T08:52:28Z",
                           "24-11-01T08:52:28Z",
                           "12024-11-01T08:52:28Z",
                           "+2024-11-01T08:52:28Z",
                           "2024-13-01T08:52:28Z",
                           "2024-00-01T08:52:28Z",
                           "2024-11-31T08:52:28Z",
                           "2023-02-29T08:52:28Z",
                           "2024-11-00T08:52:28Z",
                           "2024-11-01T24:00:00Z",
                           "2024-11-01T08:60:28Z",
                           "2024-11-01T08:52:60Z",
                           "2024-11-01T08:52:61Z",
                           "2024-11-01T08:52:28.Z",
                           "2024-11-01T08:52:28,5Z",
                           "2024-11-01T08:52:28+1:00",
                           "2024-11-01T08:52:28+0100",
                           "2024-11-01T08:52:28+24:00",
                           "2024-11-01T08:52:28+01:60",
                           "2024-11-01T08:52:28+01",
                           "2024-11-01T08:52:28ZZ",
                           " 2024-11-01T08:52:28Z",
                           "2024-11-01T08:52:28Z ",
                           "2024-11-01T-8:52:28Z"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Clock, EveryPrefixOfATimeIsNone) {
  const std::string_view whole = "2024-11-01T08:52:28.047+01:00";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_rfc3339(whole.substr(0, size)), std::nullopt) << whole.substr(0, size);
  }
  EXPECT_NE(parse_rfc3339(whole), std::nullopt);
}

// --- even time -------------------------------------------------------------------------------------------------------

constexpr UnixMs noon = 1'795'435'200'000;
constexpr std::int64_t hour_ms = 3'600'000;

TEST(EvenTime, IsTheTimeOfDayWhereNobodySetsIt) {
  EvenTime time;
  for (const std::int64_t ms : {0, 1, 500, 100'000}) EXPECT_EQ(time.read(noon + ms, 77 + ms), noon + ms);
}

TEST(EvenTime, GoesOnAtItsPaceWhenTheClockIsSet) {
  EvenTime time;
  time.read(noon, 0);
  EXPECT_EQ(time.read(noon + hour_ms + 10, 10), noon + 10) << "forwards";
  EXPECT_EQ(time.read(noon + hour_ms + 20, 20), noon + 20);
  EXPECT_EQ(time.read(noon - hour_ms + 30, 30), noon + 30) << "and back, by two";
  EXPECT_EQ(time.read(noon + 5'040, 5'040), noon + 5'040) << "right again";
}

TEST(EvenTime, FollowsAClockThatIsAdjusted) {
  EvenTime time;
  time.read(noon, 0);
  for (std::int64_t second = 1; second <= 5'000; ++second) {
    const std::int64_t steady_ms = second * 1'000;
    const UnixMs adjusted = noon + steady_ms + second;  // by a millisecond each second
    EXPECT_EQ(time.read(adjusted, steady_ms), adjusted);
  }
}

TEST(EvenTime, FollowsAClockThatWasWrongByMoreThanADay) {
  EvenTime time;
  EXPECT_EQ(time.read(0, 0), 0) << "a machine that does not know the time yet";
  EXPECT_EQ(time.read(noon, 1'000), noon);
  EXPECT_EQ(time.read(1'000, 2'000), noon + 1'000) << "but never back: what waits would wait for years";
}

}  // namespace
}  // namespace carillon::hub
