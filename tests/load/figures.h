// What hub_load and any_load measure by, and how they say it.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace carillon::load {

inline constexpr std::int64_t us_per_s = 1'000'000;
inline constexpr std::int64_t us_per_ms = 1'000;

/// CPU time of a process and its children (nginx has workers), threads that have ended not counted. 0 for pid 0.
/// From the scheduler's own books, in ns; where the kernel keeps none, in ticks of 10 ms.
double cpu_us(int pid);
/// Resident memory of a process and its children.
double resident_bytes(int pid);

/// Whether all threads of a process and its children sleep. A thread that has something to read does not, even where it
/// waits for a core: so a server that sleeps has seen to all that it was sent.
bool sleeps(int pid);

/// As many as this process may ever have.
void allow_many_files();

/// The number behind `name` in a message; 0 where there is none.
std::int64_t number_behind(std::string_view text, std::string_view name);

/// Of sorted values; 0 where there are none.
double quantile(const std::vector<float>& sorted, double part);

/// One object, on one line.
void print_json(const std::vector<std::pair<const char*, double>>& figures);

/// So many a second, from the moment it is made; what a late turn left undone is made up for.
class Pace {
 public:
  explicit Pace(double per_s) : per_s_(per_s) {}
  bool due(std::int64_t elapsed_us) const {
    return static_cast<double>(done_) < static_cast<double>(elapsed_us) / us_per_s * per_s_;
  }
  void took() { ++done_; }

 private:
  double per_s_;
  std::uint64_t done_ = 0;
};

}  // namespace carillon::load
