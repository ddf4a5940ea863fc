#include "net/rate_table.h"

#include <algorithm>
#include <bit>

namespace carillon::net {
namespace {

/// Spreads numbers that lie close together (the finalizer of splitmix64).
std::uint64_t spread(std::uint64_t number) {
  number = (number ^ (number >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  number = (number ^ (number >> 27U)) * 0x94D049BB133111EBULL;
  return number ^ (number >> 31U);
}

}  // namespace

RateTable::RateTable(std::size_t callers_max)
    : sets_(std::bit_ceil(std::max<std::size_t>(1, (callers_max + places - 1) / places))) {}

TokenBucket::Outcome RateTable::take(std::uint64_t who, MonotonicMs now_ms, const TokenBucket::Rate& rate) {
  const std::uint64_t hash = spread(who);
  const std::size_t index = hash & (sets_.size() - 1);
  Set& set = sets_[index];
  const std::lock_guard lock(locks_[index % locks_max].mutex);
  Place* chosen = nullptr;
  for (Place& place : set) {
    if (place.who == who && !place.bucket.full(now_ms)) {
      chosen = &place;
      break;
    }
    if (chosen == nullptr || place.bucket.full_before(chosen->bucket)) chosen = &place;
  }
  if (chosen->who != who || chosen->bucket.full(now_ms)) *chosen = {who, {}};
  return chosen->bucket.ask(now_ms, rate);
}

}  // namespace carillon::net
