#include "tests/load/figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace carillon::load {
namespace {

constexpr double ns_per_us = 1e3;
constexpr double bytes_per_kib = 1024;

std::string folder_of(int pid) { return "/proc/" + std::to_string(pid); }

std::vector<int> with_children(int pid) {
  std::vector<int> pids{pid};
  std::ifstream file(folder_of(pid) + "/task/" + std::to_string(pid) + "/children");
  for (int child = 0; file >> child;) pids.push_back(child);
  return pids;
}

/// The fields of /proc/…/stat behind the name of the program, which may have anything in it.
std::istringstream stat_of(const std::filesystem::path& folder) {
  std::ifstream file(folder / "stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  return std::istringstream(text.substr(text.rfind(')') + 1));
}

/// 0 where the kernel keeps no such books.
double scheduled_us(int pid) {
  double ns = 0;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(folder_of(pid) + "/task", error)) {
    double ran_ns = 0;
    std::ifstream(thread.path() / "schedstat") >> ran_ns;
    ns += ran_ns;
  }
  return ns / ns_per_us;
}

double ticked_us(int pid) {
  std::istringstream fields = stat_of(folder_of(pid));
  std::string skipped;
  for (int number = 3; number < 14; ++number) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)) * us_per_s;
}

}  // namespace

double cpu_us(int pid) {
  if (pid == 0) return 0;
  double sum = 0;
  for (const int one : with_children(pid)) {
    const double us = scheduled_us(one);
    sum += us > 0 ? us : ticked_us(one);
  }
  return sum;
}

double resident_bytes(int pid) {
  double kib = 0;
  for (const int one : with_children(pid)) {
    std::ifstream file(folder_of(one) + "/status");
    for (std::string word; file >> word;) {
      double found = 0;
      if (word == "VmRSS:" && file >> found) kib += found;
    }
  }
  return kib * bytes_per_kib;
}

bool sleeps(int pid) {
  for (const int one : with_children(pid)) {
    std::error_code error;
    for (const auto& thread : std::filesystem::directory_iterator(folder_of(one) + "/task", error)) {
      char state = 'S';
      stat_of(thread.path()) >> state;
      if (state != 'S') return false;
    }
  }
  return true;
}

void allow_many_files() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

std::int64_t number_behind(std::string_view text, std::string_view name) {
  const std::size_t at = text.find(name);
  std::int64_t number = 0;
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + name.size(), text.data() + text.size(), number);
  }
  return number;
}

double quantile(const std::vector<float>& sorted, double part) {
  if (sorted.empty()) return 0;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
  return static_cast<double>(sorted[std::min(at, sorted.size() - 1)]);
}

void print_json(const std::vector<std::pair<const char*, double>>& figures) {
  const char* separator = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\": %.10g", separator, name, value);
    separator = ", ";
  }
  std::printf("}\n");
}

}  // namespace carillon::load
