// Says in the log when something is wrong with the hub, once, and once more when it is over: the store that cannot
// write, a part that is stuck, a disk that is low, commits that are slow.
//
// Threads: the main thread's.
#pragma once

#include <set>
#include <string>

#include "app/hub_server.h"
#include "app/log.h"

namespace carillon::app {

class HealthLog {
 public:
  /// Both outlive it.
  HealthLog(HubServer& hub, const Log& log) : hub_(hub), log_(log) {}

  /// To be called about once a second.
  void look();

 private:
  void tell_store(bool writable);
  void tell_damage();
  void tell_stuck(const std::vector<Watchdog::Stuck>& stuck);
  void tell_disk(const HubServer::Condition& condition);
  void tell_slow_commits(std::uint64_t slow);

  HubServer& hub_;
  const Log& log_;
  bool writable_ = true;
  bool damaged_ = false;
  bool disk_low_ = false;
  std::uint64_t commits_slow_ = 0;
  std::set<std::string> stuck_;
};

}  // namespace carillon::app
