#include "app/serve.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <future>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "app/commands.h"
#include "app/first_start.h"
#include "app/health_log.h"
#include "app/hub_server.h"
#include "app/log.h"
#include "app/service_manager.h"
#include "app/settings_changes.h"
#include "app/settings_file.h"
#include "app/spare_memory.h"
#include "app/start_turn.h"
#include "hub/clock.h"
#include "net/event_loop.h"

namespace carillon::app {
namespace {

constexpr std::chrono::milliseconds look_every{1000};
constexpr std::chrono::milliseconds drain_look_every{20};
/// For what is left when all that is connected has gone: notes of webhooks, the last commit.
constexpr std::chrono::seconds stop_wait_max{10};
constexpr net::MonotonicMs stop_margin_ms = 20'000;

std::string_view name_of(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

/// A connection is a file: as many as the system lets a process have.
rlim_t raise_file_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  getrlimit(RLIMIT_NOFILE, &files);
  return files.rlim_cur;
}

/// The signals that a hub answers to, blocked in this thread and all that it starts, so that they can be waited for:
/// SIGINT and SIGTERM end it, SIGHUP has it read anew what can be changed while it serves.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, signal);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  ~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// The signal that came within that time, if one did.
  std::optional<int> wait(std::chrono::milliseconds time) const {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timespec wait{seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
    const int signal = sigtimedwait(&set_, nullptr, &wait);
    if (signal < 0) return std::nullopt;
    return signal;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

void tell_disabled_webhooks(HubServer& hub, const Log& log) {
  for (const auto& webhook : hub.disabled_webhooks()) {
    log.warning("a webhook was disabled", {{"webhook", webhook.id}, {"url", webhook.url}, {"why", webhook.reason}});
  }
}

/// Says until when the certificate holds, and warns of one that its clients will refuse. It is served all the same: a
/// hub that does not start helps nobody, and who does not check is not harmed.
void tell_certificate(const Settings& settings, const HubServer& hub, const hub::Clock& clock, const Log& log) {
  constexpr hub::UnixMs ms_per_s = 1000;
  const auto time = hub.certificate_time();
  if (!time) return;
  const std::string until = hub::rfc3339_seconds(time->until_s * ms_per_s);
  if (clock.now_ms() >= time->until_s * ms_per_s) {
    log.warning("the certificate has expired", {{"file", settings.tls_cert}, {"until", until}});
  } else if (clock.now_ms() < time->from_s * ms_per_s) {
    log.warning("the certificate does not hold yet",
                {{"file", settings.tls_cert}, {"from", hub::rfc3339_seconds(time->from_s * ms_per_s)}});
  } else {
    log.info("certificate", {{"file", settings.tls_cert}, {"until", until}});
  }
}

/// Sees to it that the process ends, though a part of it is stuck: a thread that waits for nothing but its time. What
/// was acknowledged is on disk by then, and what a webhook was told without a note of it, it is told again.
class LastResort {
 public:
  LastResort(std::string stuck, const Log& log)
      : thread_([this, stuck = std::move(stuck), &log] {
          if (ended_.get_future().wait_for(stop_wait_max) == std::future_status::ready) return;
          log.error("the hub does not come to its end, and is ended", {{"stuck", stuck}});
          std::_Exit(exit_failed);
        }) {}
  ~LastResort() {
    ended_.set_value();
    thread_.join();
  }
  LastResort(const LastResort&) = delete;
  LastResort& operator=(const LastResort&) = delete;

 private:
  std::promise<void> ended_;
  std::thread thread_;
};

std::string names_of(const std::vector<Watchdog::Stuck>& stuck) {
  std::string names;
  for (const auto& part : stuck) names += (names.empty() ? "" : ", ") + part.part;
  return names;
}

/// Keys go to whoever started the hub, and into no log: where the journal would keep them, into a file.
void show_first_start(const Settings& settings, const std::string& text, const Log& log) {
  if (!stdout_is_the_journal()) {
    std::cout << text;
    return;
  }
  log.info("this is the first start: its keys are in a file, to be read and deleted",
           {{"file", keep_first_start(settings, text)}});
}

void tell_changes(const SettingChanges& changes, const Log& log) {
  for (const auto& [key, from, to] : changes.taken) {
    log.info("a setting was changed", {{"key", key}, {"from", from}, {"to", to}});
  }
  for (const auto& [key, from, to] : changes.waiting) {
    log.warning("a changed setting waits for a restart", {{"key", key}, {"running", from}, {"wanted", to}});
  }
}

/// What SIGHUP has read anew: all of it is taken, or where some of it is no good nothing is.
void reload(Settings& settings, const ReadSettings& read_settings, HubServer& hub, const hub::Clock& clock, Log& log) {
  SettingChanges changes;
  try {
    changes = changes_between(settings, read_settings());
  } catch (const SettingsError& error) {
    return log.error("nothing was reloaded: what is set is no good", {{"why", error.what()}});
  }
  try {
    hub.reload(changes.settings);
  } catch (const std::exception& error) {
    return log.error("nothing was reloaded: the certificate is no good, the one before is kept",
                     {{"why", error.what()}});
  }
  // The more talkative of the two levels has the last word of the one and the first of the other.
  log.set_level(std::max(settings.log.level, changes.settings.log.level));
  settings = changes.settings;
  tell_changes(changes, log);
  if (hub.certificate_time()) {
    log.info("the certificate was reloaded", {{"file", settings.tls_cert}});
    tell_certificate(settings, hub, clock, log);
  } else if (changes.taken.empty() && changes.waiting.empty()) {
    log.info("nothing to reload", {{"signal", "SIGHUP"}});
  }
  log.set_level(settings.log.level);
}

}  // namespace

int serve(Settings settings, const ReadSettings& read_settings) {
  const hub::SystemClock clock;
  Log log(settings, clock);
  const Signals signals;
  ServiceManager manager;
  const rlim_t files = raise_file_limit();

  std::optional<LastResort> last_resort;  // outlives the hub, whose store has a last commit to make
  std::optional<StartTurn> turn(std::in_place, settings.data);
  HubServer hub(settings, Doors::all, manager.take_socket());
  hub.start();
  turn.reset();
  if (const auto& upgraded = hub.upgraded()) {
    log.info("the database was brought up to date",
             {{"from", upgraded->from}, {"schema", upgraded->to}, {"backup", upgraded->backup}});
  }

  const bool tls = hub.certificate_time().has_value();
  const std::string url = (tls ? "https://" : "http://") + hub.address();
  log.info("serving", {{"version", CARILLON_VERSION},
                       {"address", hub.address()},
                       {"tls", tls},
                       {"data", settings.data},
                       {"loops", hub.loops()},
                       {"metrics_port", hub.metrics_port()},
                       {"files_max", files}});
  tell_certificate(settings, hub, clock, log);
  std::cout << "Carillon " CARILLON_VERSION " is listening on " << url << "\n";
  if (hub.first_start()) show_first_start(settings, first_start(settings, url), log);
  std::cout << std::flush;
  manager.ready("Serving on " + url);

  HealthLog health(hub, log);
  SpareMemory spare;
  std::optional<int> signal;
  for (;;) {
    signal = signals.wait(look_every);
    health.look();
    tell_disabled_webhooks(hub, log);
    if (hub.stuck().empty()) manager.is_well(net::steady_now_ms());
    if (signal == SIGHUP) {
      manager.reloading();
      reload(settings, read_settings, hub, clock, log);
      manager.ready("Serving on " + url);
    } else if (signal) {
      break;
    }
    if (spare.is_due(hub.connections(), net::steady_now_ms())) give_spare_memory_back();
  }
  log.info("ending", {{"signal", name_of(*signal)}});
  manager.stopping(hub.drain() + stop_margin_ms);
  while (!hub.drained()) {
    health.look();
    if (hub.stuck().empty()) manager.is_well(net::steady_now_ms());
    signal = signals.wait(drain_look_every);
    if (!signal || signal == SIGHUP) continue;  // what ends reads nothing anew
    log.info("ending at once", {{"signal", name_of(*signal)}});
    break;
  }
  last_resort.emplace(names_of(hub.stuck()), log);
  hub.stop();
  log.info("ended");
  return exit_ok;
}

}  // namespace carillon::app
