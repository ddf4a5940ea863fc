#include "app/rate_limits.h"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

using net::http::Method;

constexpr net::MonotonicMs start_ms = 12'345'678;
constexpr hub::KeyId key{7};

Settings::Limits some_limits() {
  Settings::Limits limits;
  limits.polls_per_second = 2;
  limits.writes_per_second = 1;
  limits.burst_s = 3;
  limits.rate_entries = 64;
  return limits;
}

TEST(RateLimits, EveryRouteHasAClass) {
  EXPECT_EQ(class_of(Method::get, "/jobs/{id}"), CallClass::poll);
  EXPECT_EQ(class_of(Method::get, "/jobs"), CallClass::list);
  EXPECT_EQ(class_of(Method::get, "/webhooks/{id}"), CallClass::list);
  EXPECT_EQ(class_of(Method::patch, "/jobs/{id}"), CallClass::write);
  EXPECT_EQ(class_of(Method::del, "/webhooks/{id}"), CallClass::write);
  EXPECT_EQ(class_of(Method::get, "/admin/keys"), CallClass::admin);
  EXPECT_EQ(class_of(Method::post, "/admin/keys"), CallClass::admin);
}

TEST(RateLimits, ClassesAreCountedByThemselves) {
  RateLimits limits(some_limits());
  EXPECT_TRUE(limits.limits(CallClass::poll));
  EXPECT_FALSE(limits.limits(CallClass::list)) << "off until it is set";
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(limits.take(key, CallClass::poll, start_ms).taken) << i;
  EXPECT_FALSE(limits.take(key, CallClass::poll, start_ms).taken);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.take(key, CallClass::write, start_ms).taken) << i;
  EXPECT_FALSE(limits.take(key, CallClass::write, start_ms).taken);
  EXPECT_TRUE(limits.take(hub::KeyId{8}, CallClass::poll, start_ms).taken);
}

TEST(RateLimits, AddressesAreCountedApartFromKeys) {
  EXPECT_FALSE(RateLimits(some_limits()).limits_addresses()) << "off until it is set";
  Settings::Limits settings = some_limits();
  settings.calls_per_second_per_address = 1;
  RateLimits limits(settings);
  const auto here = net::network_of("2001:db8::1");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limits.take(here, start_ms).taken) << i;
  EXPECT_FALSE(limits.take(net::network_of("2001:db8::2"), start_ms).taken) << "the same network";
  EXPECT_TRUE(limits.take(net::network_of("2001:db8:0:1::1"), start_ms).taken);
  EXPECT_TRUE(limits.take(net::network_of("192.0.2.1"), start_ms).taken);
  EXPECT_TRUE(limits.take(key, CallClass::poll, start_ms).taken);
  EXPECT_EQ(limits.address_fields(limits.take(here, start_ms)),
            "RateLimit-Policy: \"address\";q=3;w=3\r\nRateLimit: \"address\";r=0;t=3\r\n");
}

TEST(RateLimits, SayWhatIsLeftAsTheDraftHasIt) {
  RateLimits limits(some_limits());
  limits.take(key, CallClass::poll, start_ms);
  const auto outcome = limits.take(key, CallClass::poll, start_ms);
  EXPECT_EQ(limits.fields(CallClass::poll, outcome),
            "RateLimit-Policy: \"polls\";q=6;w=3\r\nRateLimit: \"polls\";r=4;t=1\r\n");
}

}  // namespace
}  // namespace carillon::app
