// When a delivery that failed is tried again.
//
// Threads: immutable after construction; safe for concurrent use.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace carillon::channels::webhook {

class RetrySchedule {
 public:
  /// The n-th delay stands between the n-th failed attempt and the next.
  explicit RetrySchedule(std::vector<std::int64_t> delays_ms) : delays_ms_(std::move(delays_ms)) {}

  /// After `failed` attempts (1 or more); none when there is to be no other. `random` is any number: from it comes the
  /// jitter of up to a fifth either way, which keeps what failed together from coming back together. `retry_after_s` is
  /// what the receiver asked for; up to an hour it is honoured, where it is longer than the schedule's own delay.
  std::optional<std::int64_t> delay_ms(int failed, std::uint64_t random, std::int64_t retry_after_s = 0) const;

 private:
  std::vector<std::int64_t> delays_ms_;
};

}  // namespace carillon::channels::webhook
