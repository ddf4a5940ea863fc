#include "app/serving_loop.h"

#include <pthread.h>

#include <utility>

#include "app/admin_resource.h"
#include "app/door.h"
#include "app/jobs_resource.h"
#include "app/notifications_resource.h"
#include "app/routes.h"
#include "app/turnstile.h"
#include "channels/polling/channel.h"
#include "channels/polling/feed_resource.h"
#include "channels/polling/polling_resource.h"
#include "channels/webhook/default_secret_resource.h"
#include "channels/webhook/deliveries_resource.h"
#include "channels/webhook/endpoint_url.h"
#include "channels/webhook/webhooks_resource.h"
#include "channels/websocket/channel.h"
#include "hub/authenticator.h"
#include "hub/intake.h"
#include "net/event_loop.h"
#include "net/http/http_protocol.h"

namespace carillon::app {
namespace {

constexpr net::MonotonicMs ms_per_s = 1000;
constexpr std::size_t keys_cached_max = 65'536;

hub::IntakeLimits intake_limits(const Settings::Limits& limits) {
  return {limits.result_bytes, limits.error_bytes, limits.progress_bytes, limits.metadata_bytes};
}

net::http::HttpLimits http_limits(const Settings::Limits& limits) {
  net::http::HttpLimits http;
  http.head.head_bytes_max = limits.head_bytes;
  http.body_bytes_max = limits.body_bytes;
  http.head_timeout_ms = limits.head_timeout_s * ms_per_s;
  http.body_timeout_ms = limits.body_timeout_s * ms_per_s;
  http.idle_timeout_ms = limits.idle_timeout_s * ms_per_s;
  return http;
}

/// The control socket's are plain: no page and no browser comes in there.
net::http::HttpOptions control_options(const Adjustment& with) {
  net::http::HttpOptions options;
  options.limits = http_limits(with.settings.limits);
  options.log = with.access_log;
  return options;
}

net::http::HttpOptions front_options(const Adjustment& with) {
  const Settings::Http& http = with.settings.http;
  net::http::HttpOptions options = control_options(with);
  options.cors = net::http::CorsPolicy(http.cors_origins);
  options.gzip = {http.gzip_min_bytes, http.gzip_max_bytes};
  options.server_timing = http.server_timing;
  return options;
}

channels::websocket::WebSocketOptions websocket_options(const Settings::WebSocket& settings) {
  channels::websocket::WebSocketOptions options;
  options.heartbeat_ms = settings.heartbeat_s * ms_per_s;
  options.slow_client_ms = settings.slow_client_ms;
  options.queue_bytes_max = settings.queue_bytes;
  options.message_bytes_max = settings.message_bytes;
  options.subscriptions_max = settings.subscriptions;
  options.job_ids_max = settings.job_ids;
  options.replay_events_max = settings.replay_events;
  options.messages_per_second_max = settings.messages_per_second;
  options.origins = settings.origins;
  options.deflate = {settings.deflate, settings.deflate_level, settings.deflate_min_bytes, settings.deflate_max_bytes};
  return options;
}

JobsResource::Limits job_limits(const Settings::Limits& limits) {
  return {limits.updates, limits.idempotency_key_bytes};
}

Turnstile::Options turnstile_options(const Adjustment& with) {
  return {with.settings.limits.refusals_per_address, with.access_log != nullptr};
}

channels::polling::PollingOptions polling_options(const Settings& all, const std::string& epoch) {
  const Settings::Polling& settings = all.polling;
  const channels::PayloadOptions payload{all.webhooks.max_body, all.public_url};
  channels::polling::PollingOptions options;
  options.wait_max_s = settings.wait_max_s;
  options.retry_after_max_s = settings.retry_after_max_s;
  options.feed = {payload, settings.page_bytes, epoch};
  options.streams = {settings.heartbeat_s * ms_per_s, settings.slow_client_ms, settings.queue_bytes, payload};
  return options;
}

channels::NotificationMemory notification_memory(const Settings::Notifications& settings) {
  return {settings.events, settings.drops, settings.polled_jobs};
}

/// Ready when no WebSocket and no poll that waits is left; looks at the pace of people, for nothing but a shutdown
/// waits on it.
class DrainWatch final : private net::Timer {
 public:
  DrainWatch(net::EventLoop& loop, const channels::websocket::WebSocketChannel& websocket,
             const channels::polling::PollingChannel& polling)
      : loop_(loop), websocket_(websocket), polling_(polling) {}

  void begin(std::promise<void> done) {
    done_ = std::move(done);
    on_timer();
  }

 private:
  void on_timer() override {
    if (websocket_.sessions() == 0 && polling_.drained()) return done_.set_value();
    loop_.set_timer_in(*this, 20);
  }

  net::EventLoop& loop_;
  const channels::websocket::WebSocketChannel& websocket_;
  const channels::polling::PollingChannel& polling_;
  std::promise<void> done_;
};

/// Hands over which keys were used, from time to time and all together.
class KeyUseNotes final : private net::Timer {
 public:
  KeyUseNotes(net::EventLoop& loop, hub::Store& store, hub::Authenticator& authenticator, hub::CommitListener& home,
              net::MonotonicMs interval_ms)
      : loop_(loop), store_(store), authenticator_(authenticator), home_(home), interval_ms_(interval_ms) {
    loop_.set_timer_in(*this, interval_ms_);
  }

  void hand_over() {
    auto uses = authenticator_.take_uses();
    if (uses.empty()) return;
    store_.note_key_uses(uses, home_, [this, uses](const hub::Outcome<hub::Done>& outcome) {
      if (!outcome) authenticator_.give_back(uses);
    });
  }

 private:
  void on_timer() override {
    loop_.set_timer_in(*this, interval_ms_);
    hand_over();
  }

  net::EventLoop& loop_;
  hub::Store& store_;
  hub::Authenticator& authenticator_;
  hub::CommitListener& home_;
  const net::MonotonicMs interval_ms_;
};

}  // namespace

/// In the order in which they are built on one another.
struct ServingLoop::Parts {
  Parts(const ServingContext& context, hub::CommitListener& home) : Parts(context, context.begin.settings, home) {}

  Parts(const ServingContext& context, const Settings& settings, hub::CommitListener& home)
      : loop(context.monotonic),
        reader(context.store.open_reader()),
        authenticator(*reader, context.clock, keys_cached_max, settings.store.key_uses_s * ms_per_s),
        key_uses(loop, context.store, authenticator, home, settings.store.key_uses_s * ms_per_s),
        door(authenticator, context.clock),
        turnstile(loop, context.begin.rates, context.admission, figures, turnstile_options(context.begin)),
        intake(intake_limits(settings.limits)),
        urls{settings.webhooks.allow_http},
        jobs(context.store, intake, urls, context.submissions_under_way, home, job_limits(settings.limits),
             context.begin.road_log),
        log(notification_memory(settings.notifications), reader->last_seq(), context.clock.now_ms()),
        polling(loop, context.store, *reader, authenticator, context.ownership, context.clock, log,
                context.waiting_room, polling_options(settings, context.epoch)),
        polled_jobs(polling),
        feed(polling),
        webhooks(context.store, *reader, context.ownership, home, urls, context.clock,
                 settings.webhooks.secret_overlap_s),
        deliveries(context.store, *reader, context.ownership, home),
        default_secret(context.store, home, context.clock, settings.webhooks.secret_overlap_s),
        admin(context.store, *reader, context.clock, home),
        notifications(loop, *reader, context.ownership, context.memories),
        websocket(loop, *reader, authenticator, context.ownership, context.clock, log, context.admission, context.epoch,
                  websocket_options(settings.websocket)),
        drain_watch(loop, websocket, polling),
        front(make_front_routes(resources(context))),
        control(make_control_routes(resources(context))),
        front_http(loop, front, front_options(context.begin)),
        control_http(loop, control, control_options(context.begin)),
        connections(loop) {
    context.memories.push_back({loop, log});
    context.metrics.watch({websocket, polling, front_http, control_http, connections, figures});
  }

  Resources resources(const ServingContext& context) {
    return {door,      turnstile,  jobs,           polled_jobs,     feed,
            webhooks,  deliveries, default_secret, admin,           notifications,
            websocket, figures,    context.health, context.metrics, context.begin.settings.metrics_listen.empty()};
  }

  /// On the loop's thread.
  void adjust(const Adjustment& with) {
    const Settings& settings = with.settings;
    turnstile.adjust(with.rates, turnstile_options(with));
    intake = hub::Intake(intake_limits(settings.limits));
    urls = {settings.webhooks.allow_http};
    jobs.adjust(job_limits(settings.limits), with.road_log);
    polling.set_options(polling_options(settings, polling.options().feed.epoch));
    webhooks.set_secret_overlap(settings.webhooks.secret_overlap_s);
    default_secret.set_secret_overlap(settings.webhooks.secret_overlap_s);
    websocket.set_options(websocket_options(settings.websocket));
    front_http.set_options(front_options(with));
    control_http.set_options(control_options(with));
  }

  net::EventLoop loop;
  std::unique_ptr<hub::Reader> reader;
  hub::Authenticator authenticator;
  KeyUseNotes key_uses;
  Door door;
  CallFigures figures;
  Turnstile turnstile;
  hub::Intake intake;
  channels::webhook::UrlPolicy urls;
  JobsResource jobs;
  channels::NotificationLog log;
  channels::polling::PollingChannel polling;
  channels::polling::PollingResource polled_jobs;
  channels::polling::FeedResource feed;
  channels::webhook::WebhooksResource webhooks;
  channels::webhook::DeliveriesResource deliveries;
  channels::webhook::DefaultSecretResource default_secret;
  AdminResource admin;
  NotificationsResource notifications;
  channels::websocket::WebSocketChannel websocket;
  DrainWatch drain_watch;
  net::http::Router front;
  net::http::Router control;
  net::http::HttpService front_http;
  net::http::HttpService control_http;
  net::ConnectionTable connections;
};

ServingLoop::ServingLoop(const ServingContext& context)
    : parts_(std::make_unique<Parts>(context, *this)), store_(context.store) {}

ServingLoop::~ServingLoop() { end(); }

net::EventLoop& ServingLoop::loop() { return parts_->loop; }

void ServingLoop::listen() { parts_->polling.begin_after(store_.add(*this)); }

void ServingLoop::begin() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "loop");
    parts_->loop.run();
  });
}

void ServingLoop::end() {
  if (!thread_.joinable()) return;
  parts_->loop.stop();
  thread_.join();
}

void ServingLoop::adjust(std::shared_ptr<const Adjustment> adjustment) {
  parts_->loop.post([this, adjustment = std::move(adjustment)] { parts_->adjust(*adjustment); });
}

void ServingLoop::adopt(std::unique_ptr<net::Transport> transport, Entrance entrance) {
  const auto add = [this, entrance](std::unique_ptr<net::Transport> taken) {
    net::http::HttpService& http = entrance == Entrance::front ? parts_->front_http : parts_->control_http;
    parts_->connections.add(std::move(taken),
                            [&](net::Connection& connection) { return http.make_protocol(connection); });
  };
  if (parts_->loop.on_thread()) return add(std::move(transport));
  // A task must be copyable, a transport is not: it travels in a box.
  parts_->loop.post(
      [add, box = std::make_shared<std::unique_ptr<net::Transport>>(std::move(transport))] { add(std::move(*box)); });
}

const net::http::Router& ServingLoop::routes(Entrance entrance) const {
  return entrance == Entrance::front ? parts_->front : parts_->control;
}

std::size_t ServingLoop::connections() const { return parts_->connections.size(); }

std::future<void> ServingLoop::drain(net::MonotonicMs window_ms) {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> future = done->get_future();
  parts_->loop.post([this, done, window_ms] {
    parts_->key_uses.hand_over();
    parts_->websocket.drain(window_ms);
    parts_->polling.drain();
    parts_->drain_watch.begin(std::move(*done));
  });
  return future;
}

void ServingLoop::on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept {
  if (inbox_.put(batch, std::move(replies))) parts_->loop.post([this] { take_in(); });
}

bool ServingLoop::gathers() noexcept {
  if (!parts_->loop.on_thread()) return false;
  if (!gathering_) parts_->loop.at_turn_end(*this);
  gathering_ = true;
  return true;
}

void ServingLoop::on_turn_end() {
  gathering_ = false;
  store_.hand_over(*this);
}

void ServingLoop::take_in() {
  for (const auto& commit : inbox_.take()) {
    if (commit.batch) {
      // Identities first: whoever is told that a key was disabled must find it disabled.
      if (commit.batch->identity_changed) {
        parts_->authenticator.forget();
        parts_->websocket.recheck_keys();
        parts_->polling.recheck_keys();
      }
      parts_->log.on_commit(*commit.batch);
      parts_->websocket.on_commit(*commit.batch);
      parts_->polling.on_commit(*commit.batch);
    }
    for (const auto& reply : commit.replies) reply->run();
  }
}

}  // namespace carillon::app
