// What the hub answers to who asks how it is: /healthz, whether it turns at all, and /readyz, whether it should be sent
// anything.
//
//   {"status":"ready","checks":{"accepting":{"ok":true},"turning":{"ok":true},"store":{"ok":true},"disk":{"ok":true}}}
//
// A 503 is a problem (RFC 9457) whose `error` is that of the first check that fails, with the same `checks`, each that
// fails with its own `error` and `detail`.
//
// Threads: any.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>

#include "app/disk_watch.h"
#include "app/watchdog.h"
#include "hub/store.h"
#include "net/http/message.h"

namespace carillon::app {

class Health {
 public:
  /// All outlive it.
  Health(const hub::Store& store, const Watchdog& watchdog, const DiskWatch& disk)
      : store_(store), watchdog_(watchdog), disk_(disk) {}

  /// From now on the hub is ending.
  void note_draining() { draining_ = true; }

  net::http::Response healthz() const;
  net::http::Response readyz() const;

 private:
  struct Fault {
    std::string_view error;
    std::string detail;
  };

  std::optional<Fault> draining() const;
  std::optional<Fault> stuck() const;
  std::optional<Fault> unwritable() const;
  std::optional<Fault> disk_low() const;

  const hub::Store& store_;
  const Watchdog& watchdog_;
  const DiskWatch& disk_;
  std::atomic<bool> draining_{false};
};

}  // namespace carillon::app
