#include "channels/websocket/drain_pace.h"

#include <gtest/gtest.h>

namespace carillon::channels::websocket {
namespace {

TEST(DrainPace, IsEvenOverTheWindow) {
  const DrainPace pace(1'000, 50'000, 5'000);
  EXPECT_EQ(pace.due(50'000), 0U);
  EXPECT_EQ(pace.due(50'500), 100U);
  EXPECT_EQ(pace.due(52'500), 500U);
  EXPECT_EQ(pace.due(54'999), 999U);
  EXPECT_EQ(pace.due(55'000), 1'000U);
  EXPECT_EQ(pace.due(99'999), 1'000U);
}

TEST(DrainPace, WithoutAWindowAllAreDueAtOnce) {
  const DrainPace pace(1'000, 50'000, 0);
  EXPECT_EQ(pace.due(50'000), 1'000U);
  EXPECT_EQ(DrainPace().due(0), 0U);
}

}  // namespace
}  // namespace carillon::channels::websocket
