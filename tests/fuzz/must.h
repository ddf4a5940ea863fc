// What a fuzzer holds to be true: where it is not, the fuzzer stops and keeps the input.
#pragma once

#include <cstdlib>

namespace carillon::fuzz {

inline void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace carillon::fuzz
