#include "hub/tally.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

namespace carillon::hub {
namespace {

TEST(Tally, CountsUpAndDown) {
  Tally tally;
  ++tally;
  tally += 41;
  EXPECT_EQ(tally.read(), 42U);
  --tally;
  EXPECT_EQ(tally.read(), 41U);
}

TEST(Tally, IsReadByOthersWhileItsOwnerCounts) {
  Tally tally;
  constexpr std::uint64_t last = 100'000;
  std::thread owner([&] {
    for (std::uint64_t i = 0; i < last; ++i) ++tally;
  });
  for (std::uint64_t before = 0; before < last;) {
    const std::uint64_t now = tally.read();
    ASSERT_GE(now, before);
    before = now;
  }
  owner.join();
  EXPECT_EQ(tally.read(), last);
}

TEST(Distribution, PutsAValueUnderTheFirstBoundThatItDoesNotExceed) {
  static constexpr std::array<double, 3> bounds{1, 10, 100};
  Distribution distribution(bounds);
  for (const double value : {0.5, 1.0, 1.5, 10.0, 99.0, 1000.0}) distribution.observe(value);
  EXPECT_EQ(distribution.count(0), 2U);
  EXPECT_EQ(distribution.count(1), 2U);
  EXPECT_EQ(distribution.count(2), 1U);
  EXPECT_EQ(distribution.count(3), 1U);
  EXPECT_DOUBLE_EQ(distribution.sum(), 1112.0);
}

TEST(Distribution, AWeightStandsForSoManyObservations) {
  static constexpr std::array<double, 2> bounds{1, 10};
  Distribution distribution(bounds);
  distribution.observe(2.5, 100);
  EXPECT_EQ(distribution.count(1), 100U);
  EXPECT_DOUBLE_EQ(distribution.sum(), 250.0);
}

}  // namespace
}  // namespace carillon::hub
