// The `webhook` commands: each asks the hub that serves the data directory (or one that is started for the moment) and
// prints what it says.
//
// Each returns the exit code, and throws std::runtime_error with the hub's own word where it refused.
//
// Threads: the main thread.
#pragma once

#include <cstddef>
#include <string>

#include "app/command_output.h"
#include "app/settings.h"

namespace carillon::app {

struct WebhookList {
  std::string account;  ///< empty: of all
  std::string key;      ///< empty: of all
  bool for_jobs = false;
};
int webhook_list(const Settings& settings, const WebhookList& wanted, const OutputOptions& output);

/// A webhook; or a delivery with its attempts.
int webhook_show(const Settings& settings, const std::string& id, const OutputOptions& output);
int webhook_set_status(const Settings& settings, const std::string& id, bool enabled, const OutputOptions& output);

/// Prints the delivery's id alone.
int webhook_test(const Settings& settings, const std::string& id, const OutputOptions& output);
int webhook_redeliver(const Settings& settings, const std::string& delivery, const OutputOptions& output);

struct WebhookReplay {
  std::string id;
  std::string since;  ///< as parse_moment() takes it
  std::string until;  ///< empty: now
  bool all = false;
};
/// Prints how many are sent again.
int webhook_replay(const Settings& settings, const WebhookReplay& wanted, const OutputOptions& output);

struct WebhookDeliveries {
  std::string id;
  std::string status;  ///< empty: any
  std::size_t limit = 50;
};
int webhook_deliveries(const Settings& settings, const WebhookDeliveries& wanted, const OutputOptions& output);

struct SecretRotation {
  std::string id;
  std::string overlap;  ///< "24h"; empty: as the settings have it
};
/// Prints the new secret alone.
int webhook_rotate_secret(const Settings& settings, const SecretRotation& wanted, const OutputOptions& output);

}  // namespace carillon::app
