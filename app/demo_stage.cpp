#include "app/demo_stage.h"

#include <cstdio>

namespace carillon::app {

void DemoStage::line(std::string_view who, std::string_view what) {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - begun_;
  char start[64];
  std::snprintf(start, sizeof start, "%8.3f s  %-10.*s ", since.count(), static_cast<int>(who.size()), who.data());
  const std::lock_guard lock(mutex_);
  out_ << start << what << std::endl;
}

void DemoStage::saw_the_end(std::string_view who) {
  {
    const std::lock_guard lock(mutex_);
    seen_.emplace(who);
  }
  seen_changed_.notify_all();
}

bool DemoStage::has_seen_the_end(std::string_view who) {
  const std::lock_guard lock(mutex_);
  return seen_.contains(who);
}

bool DemoStage::await_the_end(std::size_t count, std::chrono::seconds at_most) {
  std::unique_lock lock(mutex_);
  return seen_changed_.wait_for(lock, at_most, [&] { return seen_.size() >= count; });
}

}  // namespace carillon::app
