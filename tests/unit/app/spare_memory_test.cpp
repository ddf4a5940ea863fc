#include "app/spare_memory.h"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

constexpr std::int64_t later = SpareMemory::delay_ms;

TEST(SpareMemory, IsNotDueWhileNothingEnds) {
  SpareMemory spare;
  for (std::int64_t now = 0; now < 100 * later; now += 1000) EXPECT_FALSE(spare.is_due({1000, 0}, now));
}

TEST(SpareMemory, IsDueOnceSomeTimeAfterSlowClientsWereClosed) {
  SpareMemory spare;
  EXPECT_FALSE(spare.is_due({500, 0}, 0));
  EXPECT_FALSE(spare.is_due({499, 1}, 1000));
  EXPECT_FALSE(spare.is_due({300, 200}, 1000 + later - 1));
  EXPECT_TRUE(spare.is_due({300, 200}, 1000 + later));
  for (std::int64_t now = 2000 + later; now < 10 * later; now += 1000) EXPECT_FALSE(spare.is_due({300, 200}, now));
}

TEST(SpareMemory, IsDueWhenManyConnectionsHaveGoneHoweverSlowly) {
  SpareMemory spare;
  std::int64_t now = 0;
  std::uint64_t connections = 15'000;
  int due = 0;
  for (; connections > 15'000 - SpareMemory::gone_min; --connections)
    EXPECT_FALSE(spare.is_due({connections, 0}, ++now));
  for (int second = 0; second < 20; ++second) due += spare.is_due({connections, 0}, now += 1000) ? 1 : 0;
  EXPECT_EQ(due, 1);
}

TEST(SpareMemory, ClientsThatComeAndGoMakeItNotDue) {
  SpareMemory spare;
  for (std::int64_t now = 0; now < 100 * later; now += 1000) {
    EXPECT_FALSE(spare.is_due({1000 + static_cast<std::uint64_t>(now / 1000 % 2) * 200, 0}, now));
  }
}

}  // namespace
}  // namespace carillon::app
