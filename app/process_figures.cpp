#include "app/process_figures.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <system_error>

namespace carillon::app {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}
double seconds(const timespec& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/// proc_pid_stat(5): field 22, in ticks since the system was started.
double read_started_at_s() {
  std::ifstream file("/proc/self/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) fields >> field;
  timespec now{};
  timespec up{};
  clock_gettime(CLOCK_REALTIME, &now);
  clock_gettime(CLOCK_BOOTTIME, &up);
  return seconds(now) - seconds(up) + std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::uint64_t count_open_files() {
  static constexpr const char* folder = "/proc/self/fd";
  struct stat status {};
  if (stat(folder, &status) == 0 && status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
    ++count;
  }
  return count;
}

}  // namespace

ProcessFigures read_process_figures() {
  static const double started_at_s = read_started_at_s();
  ProcessFigures figures;
  figures.started_at_s = started_at_s;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  figures.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  figures.files_max = files.rlim_cur;
  std::uint64_t virtual_pages = 0;
  std::uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  const auto page_bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  figures.virtual_bytes = virtual_pages * page_bytes;
  figures.resident_bytes = resident_pages * page_bytes;
  figures.open_files = count_open_files();
  return figures;
}

}  // namespace carillon::app
