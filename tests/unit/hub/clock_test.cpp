#include "hub/clock.h"

#include <gtest/gtest.h>

namespace carillon::hub {
namespace {

TEST(Clock, WritesRfc3339) {
  EXPECT_EQ(rfc3339_seconds(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339_seconds(1'730'451'148'999), "2024-11-01T08:52:28Z");
  EXPECT_EQ(rfc3339_ms(951'782'400'007), "2000-02-29T00:00:00.007Z");
}

}  // namespace
}  // namespace carillon::hub
