#include "app/health_log.h"

#include <utility>

namespace carillon::app {

void HealthLog::look() {
  const HubServer::Condition condition = hub_.look();
  if (condition.damaged) {
    tell_damage();
  } else {
    tell_store(condition.writable);
  }
  tell_stuck(condition.stuck);
  tell_disk(condition);
  tell_slow_commits(condition.commits_slow);
}

void HealthLog::tell_store(bool writable) {
  if (writable == std::exchange(writable_, writable)) return;
  if (writable) {
    log_.info("the store can write again");
  } else {
    log_.error("the store cannot write: reports are refused until it can");
  }
}

void HealthLog::tell_damage() {
  if (std::exchange(damaged_, true)) return;
  log_.error("the database is damaged: nothing is taken any more; stop the hub and restore a backup");
}

void HealthLog::tell_stuck(const std::vector<Watchdog::Stuck>& stuck) {
  std::set<std::string> now;
  for (const Watchdog::Stuck& part : stuck) {
    now.insert(part.part);
    if (stuck_.count(part.part) == 0) log_.error("stuck", {{"part", part.part}, {"for_s", part.for_ms / 1000}});
  }
  for (const std::string& part : stuck_) {
    if (now.count(part) == 0) log_.info("it turns again", {{"part", part}});
  }
  stuck_ = std::move(now);
}

void HealthLog::tell_disk(const HubServer::Condition& condition) {
  if (condition.disk_low == std::exchange(disk_low_, condition.disk_low)) return;
  if (condition.disk_low) {
    log_.warning("the disk is nearly full", {{"free_bytes", condition.disk_free_bytes}});
  } else {
    log_.info("the disk has room again", {{"free_bytes", condition.disk_free_bytes}});
  }
}

void HealthLog::tell_slow_commits(std::uint64_t slow) {
  const std::uint64_t more = slow - std::exchange(commits_slow_, slow);
  if (more > 0) log_.warning("commits were slow: the disk takes long", {{"commits", more}, {"longer_than_s", 1}});
}

}  // namespace carillon::app
