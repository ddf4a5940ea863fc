// What the system says of this process: the figures that Prometheus clients by custom give for theirs.
//
// Threads: any.
#pragma once

#include <cstdint>

namespace carillon::app {

struct ProcessFigures {
  double cpu_s = 0;         ///< user and system
  double started_at_s = 0;  ///< since 1970
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t files_max = 0;
};

/// A few system calls; with a Linux before 6.2, which does not say how many files are open, these are counted, which
/// takes about a millisecond for each thousand.
ProcessFigures read_process_figures();

}  // namespace carillon::app
