// Where a demonstration is shown: one line a happening, with the time since it began, and who has seen the end.
//
// Threads: any number at once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

namespace carillon::app {

class DemoStage {
 public:
  explicit DemoStage(std::ostream& out) : out_(out), begun_(std::chrono::steady_clock::now()) {}

  /// "  0.012 s  websocket  …"
  void line(std::string_view who, std::string_view what);

  /// `who` has seen the job's end.
  void saw_the_end(std::string_view who);
  bool has_seen_the_end(std::string_view who);
  /// Waits until `count` have, or the time is up.
  bool await_the_end(std::size_t count, std::chrono::seconds at_most);

 private:
  std::ostream& out_;
  const std::chrono::steady_clock::time_point begun_;
  std::mutex mutex_;
  std::condition_variable seen_changed_;
  std::set<std::string, std::less<>> seen_;
};

}  // namespace carillon::app
