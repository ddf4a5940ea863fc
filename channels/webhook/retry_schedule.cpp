#include "channels/webhook/retry_schedule.h"

#include <algorithm>
#include <cmath>

namespace carillon::channels::webhook {
namespace {

constexpr double jitter = 0.2;
constexpr std::int64_t retry_after_s_max = 3'600;

}  // namespace

std::optional<std::int64_t> RetrySchedule::delay_ms(int failed, std::uint64_t random,
                                                    std::int64_t retry_after_s) const {
  const auto place = static_cast<std::size_t>(failed - 1);
  if (failed < 1 || place >= delays_ms_.size()) return std::nullopt;
  const double share = std::ldexp(static_cast<double>(random), -64);  // 0 to 1
  const double factor = 1 - jitter + 2 * jitter * share;
  const auto own = static_cast<std::int64_t>(static_cast<double>(delays_ms_[place]) * factor);
  return std::max(own, std::clamp<std::int64_t>(retry_after_s, 0, retry_after_s_max) * 1'000);
}

}  // namespace carillon::channels::webhook
