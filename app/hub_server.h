// The hub, wired: store, loops, channels and resources, each constructed with what it needs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "app/settings.h"

namespace carillon::app {

/// Where a hub is to be found.
enum class Doors : std::uint8_t {
  all,     ///< the listening address, the control socket and the webhook dispatcher
  control  ///< the control socket alone: how a command works on a data directory that no hub is serving
};

class HubServer {
 public:
  /// Opens the data directory (made if need be, locked against a second hub), migrates the database, binds the
  /// address. Throws std::runtime_error with a message that says what failed.
  HubServer(const Settings& settings, Doors doors);
  /// Stops.
  ~HubServer();
  HubServer(const HubServer&) = delete;
  HubServer& operator=(const HubServer&) = delete;

  /// The port that is listened on; 0 without one.
  std::uint16_t port() const;

  /// True when the database was made by this start.
  bool first_start() const;

  /// Starts the threads; returns when the hub serves.
  void start();
  /// Ends them in order: no more connections, WebSockets told 1001, what is queued committed. Idempotent.
  void stop();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The Unix socket in the data directory over which commands reach a serving hub: HTTP as on the listening address, the
/// caller being the administrator by right of being able to open it (mode 0600).
inline constexpr const char* control_socket_name = "control.sock";
/// The file that a hub holds locked (flock) while it serves a data directory.
inline constexpr const char* lock_file_name = "lock";

}  // namespace carillon::app
