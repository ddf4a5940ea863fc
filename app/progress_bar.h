// How far a long command has come, on a terminal: one line on standard error, drawn over itself, and gone at the end.
// Where standard error is no terminal, nothing.
//
//   copying   [##########..........]  51 %  1.2 of 2.4 GiB
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::app {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// `all` is 0 where that is not known: then only what is being done is shown.
  void show(std::string_view what, std::uint64_t done, std::uint64_t all);

 private:
  const bool on_terminal_;
  std::string what_;
  std::chrono::steady_clock::time_point next_at_{};
};

/// The line, without what draws it.
std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t all);

/// "1.2 GiB", "340 KiB".
std::string in_bytes(std::uint64_t bytes);

}  // namespace carillon::app
