#include "channels/webhook/attempt_verdict.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

using hub::DeliveryState;

constexpr std::uint64_t middle = std::uint64_t{1} << 63U;  // no jitter
constexpr hub::UnixMs now = 1'700'000'000'000;
constexpr std::int64_t day_ms = 24 * 3'600'000;

const RetrySchedule schedule({0, 5'000});

AttemptVerdict verdict(AttemptEnd end) {
  end.now = now;
  return judge(end, schedule, 5 * day_ms, middle);
}

TEST(AttemptVerdict, AnyOfThe200sIsDelivered) {
  for (const int status : {200, 201, 204, 299}) {
    EXPECT_EQ(verdict({.http_status = status}).next_state, DeliveryState::delivered) << status;
    EXPECT_EQ(verdict({.http_status = status, .failing_since = now - 6 * day_ms}).disable_reason, std::nullopt);
  }
}

TEST(AttemptVerdict, AnythingElseIsTriedAgainUntilTheTriesRunOut) {
  for (const int status : {0, 101, 301, 400, 404, 500, 600}) {
    const auto first = verdict({.http_status = status});
    EXPECT_EQ(first.next_state, DeliveryState::pending) << status;
    EXPECT_EQ(first.next_due_at, now) << status;
    EXPECT_EQ(verdict({.http_status = status, .attempts_before = 1}).next_due_at, now + 5'000) << status;
    const auto last = verdict({.http_status = status, .attempts_before = 2});
    EXPECT_EQ(last.next_state, DeliveryState::failed) << status;
    EXPECT_EQ(last.disable_reason, std::nullopt) << status;
  }
}

TEST(AttemptVerdict, RetryAfterCountsWith429And503Alone) {
  for (const int status : {429, 503}) {
    EXPECT_EQ(verdict({.http_status = status, .retry_after_s = 60}).next_due_at, now + 60'000) << status;
  }
  EXPECT_EQ(verdict({.http_status = 500, .retry_after_s = 60}).next_due_at, now);
}

TEST(AttemptVerdict, GoneDisablesAtOnce) {
  const auto gone = verdict({.http_status = 410});
  EXPECT_EQ(gone.next_state, DeliveryState::failed);
  EXPECT_EQ(gone.disable_reason, "The endpoint answered 410 Gone.");
}

TEST(AttemptVerdict, NothingButFailuresForLongEnoughDisables) {
  const auto before = verdict({.http_status = 500, .failing_since = now - 5 * day_ms + 1});
  EXPECT_EQ(before.next_state, DeliveryState::pending);
  EXPECT_EQ(before.disable_reason, std::nullopt);
  const auto after = verdict({.http_status = 500, .failing_since = now - 5 * day_ms});
  EXPECT_EQ(after.next_state, DeliveryState::failed);
  EXPECT_EQ(after.disable_reason, "Every attempt since 2023-11-09T22:13:20Z has failed.");
}

}  // namespace
}  // namespace carillon::channels::webhook
