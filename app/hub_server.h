// The hub, wired: store, loops, channels and resources, each constructed with what it needs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/owner_news.h"
#include "app/settings.h"
#include "app/spare_memory.h"
#include "app/watchdog.h"
#include "net/http/router.h"
#include "net/listener.h"
#include "storage/sqlite/schema.h"

namespace carillon::app {

/// Where a hub is to be found.
enum class Doors : std::uint8_t {
  all,     ///< the listening address, the control socket and the webhook dispatcher
  control  ///< the control socket alone: how a command works on a data directory that no hub is serving
};

/// When a certificate holds, in seconds since 1970.
struct CertificateTime {
  std::int64_t from_s;
  std::int64_t until_s;
};

class HubServer {
 public:
  /// Opens the data directory (made if need be, locked against a second hub), migrates the database, binds the
  /// address. Throws std::runtime_error with a message that says what failed.
  ///
  /// With a socket that is open already, it listens on that and not on `settings.listen`.
  HubServer(const Settings& settings, Doors doors, std::optional<net::ListeningSocket> open_already = {});
  /// Stops.
  ~HubServer();
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;

  /// Where it listens, with the port that was found for a 0: "127.0.0.1:8080"; empty where it does not.
  const std::string& address() const;

  /// The port of metrics_listen; 0 where it is not set.
  std::uint16_t metrics_port() const;

  /// What can be asked for at the listening address, and at the control socket.
  const net::http::Router& front_routes() const;
  const net::http::Router& control_routes() const;

  /// True when there was no key when it was opened, so that nobody could have come in.
  bool first_start() const;

  /// The certificate's time; nothing where no TLS is spoken.
  std::optional<CertificateTime> certificate_time() const;
  /// Takes of the settings what Setting::reloads names, each loop from its next turn on, and reads certificate and key
  /// anew where TLS is spoken: who connects from now on is shown the new one, who is connected stays as it is. Throws
  /// std::runtime_error that says what is wrong with them, and goes on as it was. Only while it serves.
  void reload(const Settings& settings);

  /// What was done to a database of an earlier version when it was opened; nothing where it was up to date, or new.
  const std::optional<storage::sqlite::Upgrade>& upgraded() const;

  /// How it is.
  struct Condition {
    bool writable = true;  ///< the store
    bool damaged = false;  ///< what it holds
    std::vector<Watchdog::Stuck> stuck;
    bool disk_low = false;
    std::uint64_t disk_free_bytes = 0;
    std::uint64_t commits_slow = 0;  ///< so far: that took longer than slow_commit_s
  };
  static constexpr double slow_commit_s = 1.0;

  /// Looks at the disk, and says how all is; to be called from time to time, by one thread.
  Condition look();
  /// What does not turn now; empty: all is well. From any thread, without waiting for anything.
  std::vector<Watchdog::Stuck> stuck() const;
  unsigned loops() const;
  SpareMemory::Sight connections() const;
  /// Webhooks that were disabled since this was last asked.
  std::vector<OwnerNews::DisabledWebhook> disabled_webhooks();

  /// Starts the threads; returns when the hub serves.
  void start();
  /// Begins to end: no connection is accepted any more, and WebSockets are told 1001 over websocket.drain_ms, so that
  /// not all clients return in the same instant; where there are few, at once. No webhook is tried any more, and what
  /// is on the way to one is let come to its end. What is connected is served meanwhile. Returns how long it may take,
  /// in ms.
  net::MonotonicMs drain();
  /// Whether all of them have gone, or were given their time.
  bool drained() const;
  /// Returns when every part has ended, so not while one is stuck. Ends in order: no more connections, WebSockets that
  /// are left told 1001, what is queued committed. Idempotent.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace carillon::app
