#include "channels/websocket/refusal_pace.h"

#include <gtest/gtest.h>

#include <vector>

namespace carillon::channels::websocket {
namespace {

constexpr net::MonotonicMs start_ms = 1'000'000;
constexpr RefusalPaceOptions options{
    .refusals_free = 2, .delay_ms = 250, .delay_max_ms = 1'500, .forget_ms = 10'000, .addresses_max = 3};

std::vector<net::MonotonicMs> refuse(RefusalPace& pace, const std::string& address, int times,
                                     net::MonotonicMs now_ms) {
  std::vector<net::MonotonicMs> delays;
  for (int i = 0; i < times; ++i) delays.push_back(pace.refused(address, now_ms));
  return delays;
}

using Delays = std::vector<net::MonotonicMs>;

TEST(RefusalPace, DoublesUpToItsLimit) {
  RefusalPace pace(options);
  EXPECT_EQ(refuse(pace, "10.0.0.1", 7, start_ms), (Delays{0, 0, 250, 500, 1'000, 1'500, 1'500}));
  EXPECT_EQ(refuse(pace, "10.0.0.1", 1'000, start_ms).back(), 1'500) << "however often";
}

TEST(RefusalPace, CountsAnAddressOnceForTheImpatientAndThePatient) {
  RefusalPace pace(options);
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms, 4), 0);
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms), 0);
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms, 4), 0);
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms), 500) << "the second beyond two";
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms, 4), 250) << "the first beyond four";
}

TEST(RefusalPace, OneAddressSlowsNoOther) {
  RefusalPace pace(options);
  refuse(pace, "10.0.0.1", 10, start_ms);
  EXPECT_EQ(refuse(pace, "10.0.0.2", 3, start_ms), (Delays{0, 0, 250}));
}

TEST(RefusalPace, ForgetsWhoIsQuiet) {
  RefusalPace pace(options);
  refuse(pace, "10.0.0.1", 10, start_ms);
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms + 9'999), 1'500) << "and is counted from then";
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms + 9'999 + 9'999), 1'500);
  EXPECT_EQ(pace.refused("10.0.0.1", start_ms + 9'999 + 9'999 + 10'000), 0);
  EXPECT_EQ(pace.addresses(), 1U);
}

TEST(RefusalPace, KeepsNoMoreAddressesThanItMay) {
  RefusalPace pace(options);
  for (const char* const address : {"10.0.0.1", "10.0.0.2", "10.0.0.3"}) refuse(pace, address, 3, start_ms);
  refuse(pace, "10.0.0.1", 1, start_ms + 1);  // so that 10.0.0.2 is the one refused longest ago
  refuse(pace, "10.0.0.4", 1, start_ms + 2);
  EXPECT_EQ(pace.addresses(), 3U);
  EXPECT_GT(pace.refused("10.0.0.1", start_ms + 3), 0);
  EXPECT_EQ(pace.refused("10.0.0.2", start_ms + 3), 0);
}

TEST(RefusalPace, AnIpv6CustomerHasOneAddress) {
  RefusalPace pace(options);
  EXPECT_EQ(pace.refused("2001:db8:0:1::1", start_ms), 0);
  EXPECT_EQ(pace.refused("2001:db8:0:1:ffff::2", start_ms), 0);
  EXPECT_EQ(pace.refused("2001:db8:0:1:0:1:2:3", start_ms), 250);
  EXPECT_EQ(pace.refused("2001:db8:0:2::1", start_ms), 0);
}

TEST(RefusalPace, AnIpv4AddressIsTheSameHoweverItComes) {
  RefusalPace pace(options);
  refuse(pace, "10.0.0.1", 2, start_ms);
  EXPECT_EQ(pace.refused("::ffff:10.0.0.1", start_ms), 250);
  EXPECT_EQ(pace.refused("::ffff:10.0.0.2", start_ms), 0);
}

TEST(RefusalPace, ADelayOf0HoldsNothingBack) {
  RefusalPace pace({.refusals_free = 0, .delay_ms = 0});
  EXPECT_EQ(refuse(pace, "10.0.0.1", 3, start_ms), (Delays{0, 0, 0}));
  EXPECT_EQ(pace.addresses(), 0U);
}

}  // namespace
}  // namespace carillon::channels::websocket
