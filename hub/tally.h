// Numbers that one thread keeps and any may read: how the hub counts what it does without a cost to doing it.
//
// Threads: changed by the one thread that owns the tally, read by any. A change is a load and a store, not a locked
// instruction, so a tally with two owners would lose counts. A reader may find one tally a moment ahead of another.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace carillon::hub {

class Tally {
 public:
  void operator++() { *this += 1; }
  void operator--() { value_.store(read() - 1, std::memory_order_relaxed); }
  void operator+=(std::uint64_t more) { value_.store(read() + more, std::memory_order_relaxed); }
  /// For a gauge: what there is now.
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }

  std::uint64_t read() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// Values by size: how many were at most so large, for each of a few bounds, and their sum.
class Distribution {
 public:
  static constexpr std::size_t bounds_max = 16;

  /// `bounds` rise, are at most `bounds_max`, and outlive the distribution.
  explicit constexpr Distribution(std::span<const double> bounds) : bounds_(bounds) {}

  /// As if `value` had been seen `times` times.
  void observe(double value, std::uint64_t times = 1) {
    std::size_t i = 0;
    while (i < bounds_.size() && value > bounds_[i]) ++i;
    counts_[i] += times;
    const double more = value * static_cast<double>(times);
    sum_.store(sum_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }

  std::span<const double> bounds() const { return bounds_; }
  /// How many were above the bound before this one and not above this one; the last is for those above all.
  std::uint64_t count(std::size_t bound) const { return counts_[bound].read(); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::span<const double> bounds_;
  std::array<Tally, bounds_max + 1> counts_;
  std::atomic<double> sum_{0};
};

/// From 100 us to 10 s.
inline constexpr std::array<double, 16> duration_bounds_s{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                          0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};

}  // namespace carillon::hub
