#include "app/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>

namespace carillon::app {
namespace {

constexpr std::size_t width = 20;
constexpr std::chrono::milliseconds draw_every{100};

}  // namespace

ProgressBar::ProgressBar() : on_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (on_terminal_ && !what_.empty()) std::cerr << "\r\x1b[K" << std::flush;
}

void ProgressBar::show(std::string_view what, std::uint64_t done, std::uint64_t all) {
  if (!on_terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  if (what == what_ && now < next_at_ && done < all) return;
  what_ = what;
  next_at_ = now + draw_every;
  std::cerr << "\r" << progress_line(what, done, all) << "\x1b[K" << std::flush;
}

std::string progress_line(std::string_view what, std::uint64_t done, std::uint64_t all) {
  std::string line(what);
  if (all == 0) return line + " …";
  done = std::min(done, all);
  const auto filled = static_cast<std::size_t>(done * width / all);
  std::string percent = std::to_string(done * 100 / all);
  percent.insert(0, 3 - percent.size(), ' ');
  line.append("  [").append(filled, '#').append(width - filled, '.').append("] ");
  return line + percent + " %  " + in_bytes(done) + " of " + in_bytes(all);
}

std::string in_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit + 1 < units.size(); ++unit) amount /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 || amount >= 100 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
  return text.data();
}

}  // namespace carillon::app
