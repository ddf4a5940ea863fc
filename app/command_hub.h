// The hub that a command speaks to: the one that serves the data directory, or, where none does, one that is started
// for as long as this object lives. Either way one process writes, and the command has one way of asking.
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "app/control_client.h"
#include "app/hub_server.h"
#include "app/settings.h"
#include "app/start_turn.h"

namespace carillon::app {

class CommandHub {
 public:
  /// Throws std::runtime_error with a line that says what failed.
  explicit CommandHub(const Settings& settings);

  /// As ControlClient has them.
  std::string get(const std::string& path) { return client_->get(path); }
  std::string post(const std::string& path, const std::string& body = {}) { return client_->post(path, body); }
  std::string patch(const std::string& path, const std::string& body) { return client_->patch(path, body); }

  /// How long an answer may take from now on.
  void wait_at_most(std::chrono::milliseconds time) { client_->wait_at_most(time); }

  /// False for one that was started for this object: it sends no webhooks.
  bool is_serving() const { return own_ == nullptr; }

 private:
  bool find_or_start(const Settings& settings);

  // In the order in which they are built on one another.
  std::optional<StartTurn> turn_;  ///< held only while `own_` is
  std::unique_ptr<HubServer> own_;
  std::unique_ptr<ControlClient> client_;
};

}  // namespace carillon::app
