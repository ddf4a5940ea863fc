// All that a trial leaves to chance, from its seed: the same on every machine.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

namespace carillon::model {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : numbers_(seed) {}

  std::uint64_t number() { return numbers_(); }
  /// From 0 up to below `sides`.
  std::size_t below(std::size_t sides) { return static_cast<std::size_t>(numbers_() % sides); }
  int between(int first, int last) {
    return first + static_cast<int>(below(static_cast<std::size_t>(last - first + 1)));
  }
  bool one_in(std::size_t sides) { return below(sides) == 0; }

  template <typename List>
  auto& pick(List& list) {
    return list[below(list.size())];
  }

 private:
  std::mt19937_64 numbers_;
};

}  // namespace carillon::model
