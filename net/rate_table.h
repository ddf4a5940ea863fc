// A token bucket for each of many callers, in a table that never grows: who may how often, as the whole process counts.
//
//   who ──hash──▶ one of many sets ──▶ one of its eight places
//
// A bucket that is full again is as one that was never used, so its place is free without anyone clearing up. Only when
// all eight of a set are in use at once is one forgotten, the one that would be full first: its caller starts anew with
// a full bucket, so that a table that is too small lets a few through rather than keeping anyone out.
//
// Threads: any; a set is looked at behind one of many small locks, so that two loops seldom meet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "net/token_bucket.h"

namespace carillon::net {

class RateTable {
 public:
  /// Holds about `callers_max` at one time; allocates for all of them at once, 16 bytes each.
  explicit RateTable(std::size_t callers_max);

  /// Takes a token from the bucket of `who`, a number that stands for a caller and for what it is counted for; each
  /// with a rate that does not change.
  TokenBucket::Outcome take(std::uint64_t who, MonotonicMs now_ms, const TokenBucket::Rate& rate);

 private:
  static constexpr std::size_t places = 8;
  static constexpr std::size_t locks_max = 64;

  struct Place {
    std::uint64_t who = 0;
    TokenBucket bucket;
  };
  using Set = std::array<Place, places>;
  /// Each on cache lines of its own: a lock that is taken must not slow the one beside it.
  struct alignas(128) Lock {
    std::mutex mutex;
  };

  std::vector<Set> sets_;  ///< a power of two of them
  std::array<Lock, locks_max> locks_;
};

}  // namespace carillon::net
