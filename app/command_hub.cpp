#include "app/command_hub.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "app/data_owner.h"

namespace carillon::app {
namespace {

constexpr std::chrono::seconds wait_max{10};
constexpr std::chrono::milliseconds look_again{50};

/// A hub for one command says nothing of its own unless something is wrong, and needs no more than one loop.
Settings for_a_moment(Settings settings) {
  settings.log.level = LogLevel::error;
  settings.loops = 1;
  return settings;
}

}  // namespace

CommandHub::CommandHub(const Settings& settings) {
  become_owner_of(settings.data);
  const auto give_up_at = std::chrono::steady_clock::now() + wait_max;
  while (!find_or_start(settings)) {
    // A hub that is just ending holds the directory but answers no more; one that is not Carillon's turn-taking kind
    // may be just beginning.
    if (std::chrono::steady_clock::now() > give_up_at) {
      throw std::runtime_error("data directory '" + settings.data + "': a hub serves it but does not answer");
    }
    std::this_thread::sleep_for(look_again);
  }
}

bool CommandHub::find_or_start(const Settings& settings) {
  turn_.emplace(settings.data);
  try {
    own_ = std::make_unique<HubServer>(for_a_moment(settings), Doors::control);
    own_->start();
  } catch (const DataDirectoryBusy&) {
    // Nothing is started, so others need not wait.
    turn_.reset();
  }
  client_ = std::make_unique<ControlClient>(settings.data);
  try {
    client_->probe();
    return true;
  } catch (const NoAnswer& why) {
    if (own_ || why.sent()) throw;
    return false;
  }
}

}  // namespace carillon::app
