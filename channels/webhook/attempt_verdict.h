// What is to become of a delivery after an attempt: delivered, tried again later, or given up; and whether its endpoint
// is to be disabled.
//
// Threads: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "channels/webhook/retry_schedule.h"
#include "hub/clock.h"
#include "hub/webhook.h"

namespace carillon::channels::webhook {

/// What is known when an attempt has ended.
struct AttemptEnd {
  int http_status = 0;             ///< 0 when no answer came
  std::int64_t retry_after_s = 0;  ///< what the answer asked for
  int attempts_before = 0;
  std::optional<hub::UnixMs> failing_since{};  ///< of the endpoint, before this attempt
  hub::UnixMs now = 0;
  bool is_test = false;  ///< tried once, and nothing follows from it for the endpoint
};

struct AttemptVerdict {
  hub::DeliveryState next_state = hub::DeliveryState::delivered;
  hub::UnixMs next_due_at = 0;  ///< where next_state is pending
  std::optional<std::string> disable_reason;
};

/// `disable_after_ms` of nothing but failures disable an endpoint, and so does 410 at once. `random` makes the jitter:
/// see RetrySchedule.
AttemptVerdict judge(const AttemptEnd& end, const RetrySchedule& schedule, std::int64_t disable_after_ms,
                     std::uint64_t random);

}  // namespace carillon::channels::webhook
