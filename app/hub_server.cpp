#include "app/hub_server.h"

#include <sys/uio.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "app/access_log.h"
#include "app/data_directory.h"
#include "app/disk_watch.h"
#include "app/health.h"
#include "app/metrics.h"
#include "app/rate_limits.h"
#include "app/road_log.h"
#include "app/serving_loop.h"
#include "app/watch_door.h"
#include "app/watchdog.h"
#include "channels/polling/waiting_room.h"
#include "channels/webhook/address_guard.h"
#include "channels/webhook/dispatcher.h"
#include "channels/webhook/retry_schedule.h"
#include "channels/websocket/admission.h"
#include "channels/websocket/channel.h"
#include "hub/clock.h"
#include "hub/ownership.h"
#include "hub/rules.h"
#include "net/event_loop.h"
#include "net/http/problem.h"
#include "net/listener.h"
#include "net/tls_context.h"
#include "storage/sqlite/damage.h"
#include "storage/sqlite/store.h"

namespace carillon::app {
namespace {

using channels::webhook::Dispatcher;
using channels::webhook::DispatcherOptions;

constexpr std::int64_t ms_per_s = 1000;
constexpr std::chrono::seconds turn_wait_max{1};
/// So many WebSockets may return in the same instant and trouble nobody.
constexpr std::size_t told_at_once_max = 100;

/// For a connection that is one too many.
std::string over_capacity() {
  const auto response =
      net::http::to_response({503, "over_capacity", "The hub has all the connections it takes.", {}, 5});
  return "HTTP/1.1 503 " + std::string(net::http::reason_phrase(response.status)) + "\r\n" +
         "Content-Type: " + std::string(response.content_type) + "\r\n" +
         "Content-Length: " + std::to_string(response.body.size()) + "\r\n" + response.fields +
         "Connection: close\r\n\r\n" + response.body.text();
}

unsigned loop_count(const Settings& settings, Doors doors) {
  if (doors == Doors::control) return 1;
  return settings.loops != 0 ? settings.loops : std::max(1U, std::thread::hardware_concurrency());
}

storage::sqlite::SecretsAtRest secrets_at_rest(SecretsAtRest wanted) {
  return wanted == SecretsAtRest::plain ? storage::sqlite::SecretsAtRest::plain
                                        : storage::sqlite::SecretsAtRest::encrypted;
}

storage::sqlite::StoreOptions store_options(const Settings& settings, const DataDirectory& directory,
                                            std::optional<storage::sqlite::Upgrade>& upgraded) {
  return {.path = directory.database_file(),
          .queue_max = settings.store.queue_max,
          .batch_max = settings.store.batch_max,
          .secrets = secrets_at_rest(settings.webhooks.secrets),
          .secret_key_file = secret_key_file(settings),
          .keep_deliveries_ms = settings.webhooks.keep_s * ms_per_s,
          .keep_jobs_ms = settings.store.keep_jobs_s * ms_per_s,
          .keep_events_ms = settings.store.keep_events_s * ms_per_s,
          .keep_idempotency_ms = settings.store.idempotency_keep_s * ms_per_s,
          .endpoints_per_key_max = settings.webhooks.endpoints_per_key,
          .on_upgrade = [&upgraded](const auto& upgrade) { upgraded = upgrade; }};
}

DispatcherOptions dispatcher_options(const Settings& all, const RoadLog* road_log) {
  const Settings::Webhooks& settings = all.webhooks;
  std::vector<std::int64_t> delays_ms;
  for (const std::int64_t delay_s : settings.retry_delays_s) delays_ms.push_back(delay_s * ms_per_s);
  DispatcherOptions::OnAttempt on_attempt;
  if (road_log != nullptr) {
    on_attempt = [road_log](const auto& delivery, const auto& attempt) { road_log->attempted(delivery, attempt); };
  }
  return {.transfers = {.guard = channels::webhook::AddressGuard(settings.allow_cidrs, settings.deny_cidrs),
                        .timeout_ms = settings.timeout_s * ms_per_s,
                        .connect_timeout_ms = settings.connect_timeout_s * ms_per_s,
                        .ca_file = settings.ca_file,
                        .client_cert = settings.client_cert,
                        .client_key = settings.client_key,
                        .connections_kept_max = 2 * (settings.in_flight + settings.in_flight_slow)},
          .schedule = channels::webhook::RetrySchedule(std::move(delays_ms)),
          .payload = {.body_bytes_max = settings.max_body, .public_url = all.public_url},
          .in_flight_max = settings.in_flight,
          .in_flight_slow_max = settings.in_flight_slow,
          .slow_ms = settings.slow_ms,
          .queue = {.requests_max = settings.in_flight_per_endpoint},
          .window_bytes_max = settings.window_bytes,
          .disable_after_ms = settings.disable_after_s * ms_per_s,
          .on_attempt = std::move(on_attempt)};
}

/// What the front door speaks TLS with; null where it speaks none.
std::shared_ptr<const net::TlsContext> make_tls(const Settings& settings, Doors doors) {
  if (doors == Doors::control || settings.tls_cert.empty()) return nullptr;
  return std::make_shared<const net::TlsContext>(net::TlsFiles{settings.tls_cert, settings.tls_key});
}

channels::websocket::AdmissionLimits admission_limits(const Settings::WebSocket& settings) {
  return {.connections_max = settings.connections,
          .connections_per_key_max = settings.connections_per_key,
          .subscriptions_per_key_max = settings.subscriptions_per_key,
          .handshakes_per_second = settings.handshakes_per_second,
          .retry_after_max_s = settings.retry_after_max_s,
          .held_max = settings.refusals_held,
          .refusals = {.refusals_free = settings.refusals_free,
                       .delay_ms = settings.refusal_delay_ms,
                       .delay_max_ms = settings.refusal_delay_max_ms,
                       .forget_ms = settings.refusal_forget_s * ms_per_s,
                       .addresses_max = settings.refusal_addresses}};
}

std::optional<net::ListeningSocket> make_front_socket(const Settings& settings, Doors doors,
                                                      std::optional<net::ListeningSocket> open_already) {
  if (doors == Doors::control) return std::nullopt;
  if (open_already) return open_already;
  return net::ListeningSocket::tcp(settings.listen);
}

/// Those who watch speak plainly, and few at a time.
net::http::HttpOptions watch_options(const Settings::Limits& limits) {
  net::http::HttpOptions options;
  options.limits.head.head_bytes_max = limits.head_bytes;
  options.limits.head_timeout_ms = limits.head_timeout_s * ms_per_s;
  options.limits.idle_timeout_ms = limits.idle_timeout_s * ms_per_s;
  return options;
}

/// Has the loop run `task`, and waits until it has; not for one that is stuck, which runs it when it turns again.
void run_on(net::EventLoop& loop, std::function<void()> task) {
  auto done = std::make_shared<std::promise<void>>();
  const std::future<void> ready = done->get_future();
  loop.post([task = std::move(task), done] {
    task();
    done->set_value();
  });
  ready.wait_for(turn_wait_max);
}

}  // namespace

/// In the order in which they are built on one another.
struct HubServer::Parts {
  Parts(const Settings& wanted, Doors doors, std::optional<net::ListeningSocket> open_already)
      : settings(wanted),
        tls(make_tls(settings, doors)),
        front_tls(tls),
        directory(settings.data, DataDirectory::Use::serve),
        rules(hub::Ownership(settings.ownership)),
        front_socket(make_front_socket(settings, doors, std::move(open_already))),
        control_socket(net::ListeningSocket::unix_stream(directory.control_socket())),
        store(storage::sqlite::open_store(store_options(settings, directory, upgraded), rules, clock)),
        watchdog(store->tallies(), {settings.watchdog.loop_s * ms_per_s, settings.watchdog.commit_s * ms_per_s}),
        disk(directory.path(), directory.database_file(), settings.store.disk_free_min_bytes),
        health(*store, watchdog, disk),
        metrics(*store, watchdog, disk, [this] { return certificate_end_s.load(); }),
        admission(admission_limits(settings.websocket)),
        waiting_room({settings.polling.waiting_max, settings.polling.waiting_per_key}),
        access_log(settings, clock),
        road_log(settings, clock),
        adjustment(adjusted(std::make_shared<RateLimits>(settings.limits))),
        connections_max(settings.limits.connections) {
    const auto reader = store->open_reader();
    first_start = reader->keys({.account = {}, .role = {}, .name = {}, .after = {}, .limit = 1}).empty();
    const ServingContext context{*adjustment,  *store,   rules.ownership(), clock,   admission, under_way,
                                 waiting_room, memories, reader->epoch(),   metrics, health};
    for (unsigned i = 0; i < loop_count(settings, doors); ++i) loops.push_back(std::make_unique<ServingLoop>(context));
    if (doors == Doors::all)
      dispatcher = std::make_unique<Dispatcher>(*store, clock, dispatcher_options(settings, adjustment->road_log));
    if (dispatcher) metrics.watch(dispatcher->figures());
    if (tls) certificate_end_s = tls->valid_until_s();
    for (std::size_t i = 0; i < loops.size(); ++i) watchdog.watch("loop-" + std::to_string(i), loops[i]->loop());
    if (dispatcher) watchdog.watch("webhooks", dispatcher->loop());
    if (doors == Doors::all && !settings.metrics_listen.empty()) {
      watch_door.emplace(settings.metrics_listen, health, metrics, watch_options(settings.limits),
                         settings.limits.connections);
    }
  }

  void start() {
    running = true;
    for (const auto& loop : loops) loop->listen();
    store->add(news);
    if (dispatcher) dispatcher->start();
    if (front_socket) {
      address = front_socket->address();
      front.emplace(
          loops.front()->loop(), std::move(*front_socket),
          [this](std::unique_ptr<net::Transport> transport) { place(std::move(transport)); },
          [this](const Poco::Net::StreamSocket& socket) { return speak(socket); });
    }
    control.emplace(loops.front()->loop(), std::move(control_socket),
                    [this](std::unique_ptr<net::Transport> transport) {
                      loops.front()->adopt(std::move(transport), Entrance::control);
                    });
    for (const auto& loop : loops) loop->begin();
    watchdog.start();
    if (watch_door) watch_door->start();
  }

  std::unique_ptr<net::Transport> speak(const Poco::Net::StreamSocket& socket) const {
    return front_tls ? front_tls->make_transport(socket) : net::make_plain_transport(socket);
  }

  /// In turn: long-lived connections spread evenly. One that is stuck is passed over where another turns.
  ServingLoop& next_turning_loop() {
    for (std::size_t i = 0; i < loops.size(); ++i) {
      ServingLoop& loop = *loops[next_loop++ % loops.size()];
      if (watchdog.turns(loop.loop())) return loop;
    }
    return *loops[next_loop++ % loops.size()];
  }

  void place(std::unique_ptr<net::Transport> transport) {
    std::size_t connected = 0;
    for (const auto& loop : loops) connected += loop->connections();
    if (connected >= connections_max) {
      std::string answer = over_capacity();
      const iovec piece{answer.data(), answer.size()};
      transport->write(&piece, 1);
      return;
    }
    next_turning_loop().adopt(std::move(transport), Entrance::front);
  }

  std::shared_ptr<const Adjustment> adjusted(std::shared_ptr<RateLimits> rates) {
    return std::make_shared<const Adjustment>(Adjustment{settings, std::move(rates),
                                                         logs_access(settings.log) ? &access_log : nullptr,
                                                         logs_road(settings.log) ? &road_log : nullptr});
  }

  void reload(const Settings& wanted) {
    if (tls) tls = make_tls(wanted, Doors::all);  // the one thing that may yet be no good
    // Who has called keeps what he has called, where nothing else is allowed now.
    const auto rates =
        wanted.limits == settings.limits ? adjustment->rates : std::make_shared<RateLimits>(wanted.limits);
    settings = wanted;
    adjustment = adjusted(rates);
    if (tls) certificate_end_s = tls->valid_until_s();
    admission.set_limits(admission_limits(settings.websocket));
    waiting_room.set_places(settings.polling.waiting_max);
    disk.set_free_min(settings.store.disk_free_min_bytes);
    run_on(loops.front()->loop(), [this, fresh = tls, most = settings.limits.connections] {
      front_tls = fresh;
      connections_max = most;
    });
    for (const auto& loop : loops) loop->adjust(adjustment);
    if (dispatcher) dispatcher->set_options(dispatcher_options(settings, adjustment->road_log));
  }

  net::MonotonicMs drain() {
    if (!running || drain_until) return 0;
    health.note_draining();
    run_on(loops.front()->loop(), [this] {
      if (front) front->stop();
    });
    const bool few = admission.connections() <= told_at_once_max;
    const net::MonotonicMs window_ms = few ? 0 : settings.websocket.drain_ms;
    const net::MonotonicMs time_ms = std::max(window_ms + channels::websocket::WebSocketOptions{}.close_timeout_ms,
                                              dispatcher ? settings.webhooks.timeout_s * ms_per_s : 0);
    drain_until = std::chrono::steady_clock::now() + std::chrono::milliseconds(time_ms);
    for (const auto& loop : loops) drains.push_back(loop->drain(window_ms));
    if (dispatcher) drains.push_back(dispatcher->drain());
    return time_ms;
  }

  bool drained() const {
    using namespace std::chrono_literals;
    if (!drain_until) return false;
    return std::chrono::steady_clock::now() >= *drain_until ||
           std::all_of(drains.begin(), drains.end(),
                       [](const auto& drain) { return drain.wait_for(0s) == std::future_status::ready; });
  }

  void stop() {
    if (!running) return;
    running = false;
    health.note_draining();
    watchdog.stop();
    run_on(loops.front()->loop(), [this] {
      if (front) front->stop();
      control->stop();
    });
    for (const auto& loop : loops) loop->drain(0);
    if (dispatcher) dispatcher->stop();
    store->remove(news);
    for (const auto& loop : loops) {
      store->remove(*loop);
      loop->end();
    }
  }

  Settings settings;
  std::shared_ptr<const net::TlsContext> tls;        ///< the one that was read last
  std::shared_ptr<const net::TlsContext> front_tls;  ///< for new connections; once begun, the first loop's alone
  hub::SystemClock clock;
  DataDirectory directory;
  hub::Rules rules;
  std::optional<net::ListeningSocket> front_socket;
  net::ListeningSocket control_socket;
  OwnerNews news;
  SubmissionsUnderWay under_way;
  std::optional<storage::sqlite::Upgrade> upgraded;  ///< by the opening of the store
  std::unique_ptr<hub::Store> store;
  Watchdog watchdog;
  DiskWatch disk;
  Health health;
  std::atomic<std::int64_t> certificate_end_s{0};  ///< 0 where no TLS is spoken
  Metrics metrics;
  channels::websocket::Admission admission;
  channels::polling::WaitingRoom waiting_room;
  LoopMemories memories;
  AccessLog access_log;
  RoadLog road_log;
  std::shared_ptr<const Adjustment> adjustment;  ///< the last
  std::size_t connections_max;                   ///< once begun, the first loop's alone
  bool first_start = false;
  std::vector<std::unique_ptr<ServingLoop>> loops;
  std::unique_ptr<Dispatcher> dispatcher;
  std::optional<net::Listener> front;
  std::optional<net::Listener> control;
  std::optional<WatchDoor> watch_door;  ///< where metrics_listen is set
  std::size_t next_loop = 0;
  std::string address;
  bool running = false;
  std::vector<std::future<void>> drains;  ///< one a loop and one of the webhooks, once drain() was called
  std::optional<std::chrono::steady_clock::time_point> drain_until;
};

HubServer::HubServer(const Settings& settings, Doors doors, std::optional<net::ListeningSocket> open_already) try
    : parts_(std::make_unique<Parts>(settings, doors, std::move(open_already))) {
} catch (const hub::StoreError& error) {
  throw storage::sqlite::named_after(database_file_in(settings.data), error);
}

HubServer::~HubServer() { stop(); }

const std::string& HubServer::address() const { return parts_->address; }

std::uint16_t HubServer::metrics_port() const { return parts_->watch_door ? parts_->watch_door->port() : 0; }

const net::http::Router& HubServer::front_routes() const { return parts_->loops.front()->routes(Entrance::front); }

const net::http::Router& HubServer::control_routes() const { return parts_->loops.front()->routes(Entrance::control); }

bool HubServer::first_start() const { return parts_->first_start; }

std::optional<CertificateTime> HubServer::certificate_time() const {
  const auto& tls = parts_->tls;
  if (!tls) return std::nullopt;
  return CertificateTime{tls->valid_from_s(), tls->valid_until_s()};
}

void HubServer::reload(const Settings& settings) { parts_->reload(settings); }

const std::optional<storage::sqlite::Upgrade>& HubServer::upgraded() const { return parts_->upgraded; }

HubServer::Condition HubServer::look() {
  parts_->disk.look();
  const hub::Distribution& commits = parts_->store->tallies().commit_seconds;
  std::uint64_t slow = 0;
  for (std::size_t i = 0; i <= commits.bounds().size(); ++i) {
    if (i > 0 && commits.bounds()[i - 1] >= slow_commit_s) slow += commits.count(i);
  }
  return {parts_->store->writable(), parts_->store->damaged(),  parts_->watchdog.stuck(),
          parts_->disk.low(),        parts_->disk.free_bytes(), slow};
}

std::vector<Watchdog::Stuck> HubServer::stuck() const { return parts_->watchdog.stuck(); }

unsigned HubServer::loops() const { return static_cast<unsigned>(parts_->loops.size()); }

SpareMemory::Sight HubServer::connections() const { return parts_->metrics.connections(); }

std::vector<OwnerNews::DisabledWebhook> HubServer::disabled_webhooks() { return parts_->news.take(); }

void HubServer::start() {
  try {
    parts_->start();
  } catch (const hub::StoreError& error) {
    throw storage::sqlite::named_after(parts_->directory.database_file(), error);
  }
}

net::MonotonicMs HubServer::drain() { return parts_->drain(); }

bool HubServer::drained() const { return parts_->drained(); }

void HubServer::stop() { parts_->stop(); }

}  // namespace carillon::app
