#include "channels/webhook/attempt_verdict.h"

namespace carillon::channels::webhook {
namespace {

constexpr int gone = 410;
constexpr int too_many_requests = 429;
constexpr int service_unavailable = 503;

std::optional<std::string> reason_to_disable(const AttemptEnd& end, std::int64_t disable_after_ms) {
  if (end.http_status == gone) return "The endpoint answered 410 Gone.";
  if (!end.failing_since || end.now - *end.failing_since < disable_after_ms) return std::nullopt;
  return "Every attempt since " + hub::rfc3339_seconds(*end.failing_since) + " has failed.";
}

}  // namespace

AttemptVerdict judge(const AttemptEnd& end, const RetrySchedule& schedule, std::int64_t disable_after_ms,
                     std::uint64_t random) {
  AttemptVerdict verdict;
  if (end.http_status / 100 == 2) return verdict;
  verdict.next_state = hub::DeliveryState::failed;
  if (end.is_test) return verdict;
  verdict.disable_reason = reason_to_disable(end, disable_after_ms);
  if (verdict.disable_reason) return verdict;
  const bool asked_to_wait = end.http_status == too_many_requests || end.http_status == service_unavailable;
  const auto delay_ms = schedule.delay_ms(end.attempts_before + 1, random, asked_to_wait ? end.retry_after_s : 0);
  if (!delay_ms) return verdict;
  verdict.next_state = hub::DeliveryState::pending;
  verdict.next_due_at = end.now + *delay_ms;
  return verdict;
}

}  // namespace carillon::channels::webhook
