#include "app/serve.h"

#include <sys/resource.h>

#include <csignal>
#include <ctime>
#include <iostream>
#include <optional>
#include <string>

#include "app/commands.h"
#include "app/first_start.h"
#include "app/hub_server.h"
#include "app/log.h"
#include "app/start_turn.h"
#include "hub/clock.h"

namespace carillon::app {
namespace {

/// A connection is a file: as many as the system lets a process have.
rlim_t raise_file_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

/// The signals that end a hub, blocked in this thread and all that it starts, so that they can be waited for.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~EndSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;

  /// The signal that came within a second, if one did.
  std::optional<int> wait_a_second() const {
    const timespec second{1, 0};
    const int signal = sigtimedwait(&set_, nullptr, &second);
    if (signal < 0) return std::nullopt;
    return signal;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

/// "127.0.0.1:0" with the port that was found for the 0.
std::string address_of(const Settings& settings, const HubServer& hub) {
  return settings.listen.substr(0, settings.listen.rfind(':') + 1) + std::to_string(hub.port());
}

/// Says so when the store stops taking changes, and when it goes on.
class StoreWatch {
 public:
  StoreWatch(const HubServer& hub, const Log& log) : hub_(hub), log_(log) {}

  void look() {
    const bool writable = hub_.writable();
    if (writable == writable_) return;
    writable_ = writable;
    if (writable) {
      log_.info("the store can write again");
    } else {
      log_.error("the store cannot write: reports are refused until it can");
    }
  }

 private:
  const HubServer& hub_;
  const Log& log_;
  bool writable_ = true;
};

}  // namespace

int serve(const Settings& settings) {
  const hub::SystemClock clock;
  const Log log(settings, clock);
  const EndSignals signals;
  const rlim_t files = raise_file_limit();

  std::optional<StartTurn> turn(std::in_place, settings.data);
  HubServer hub(settings, Doors::all);
  hub.start();
  turn.reset();

  const std::string address = address_of(settings, hub);
  log.info("serving", {{"version", CARILLON_VERSION},
                       {"address", address},
                       {"data", settings.data},
                       {"loops", hub.loops()},
                       {"files_max", files}});
  std::cout << "Carillon " CARILLON_VERSION " is listening on http://" << address << "\n";
  if (hub.first_start()) std::cout << first_start(settings, "http://" + address);
  std::cout << std::flush;

  StoreWatch store(hub, log);
  std::optional<int> signal;
  while (!(signal = signals.wait_a_second())) store.look();
  log.info("ending", {{"signal", *signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  hub.stop();
  log.info("ended");
  return exit_ok;
}

}  // namespace carillon::app
