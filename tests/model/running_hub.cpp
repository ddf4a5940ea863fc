#include "tests/model/running_hub.h"

#include <chrono>
#include <future>
#include <thread>

#include "storage/sqlite/store.h"
#include "tests/model/trial_error.h"

namespace carillon::model {
namespace {

constexpr std::chrono::seconds patience{20};

app::Settings settings_of(const std::string& folder) {
  app::Settings settings;
  settings.data = folder;
  settings.webhooks.allow_http = true;
  settings.webhooks.allow_cidrs = {"127.0.0.0/8"};
  settings.notifications.events = 1'024;
  return settings;
}

app::Adjustment adjustment_of(const app::Settings& settings) {
  return {settings, std::make_shared<app::RateLimits>(settings.limits), nullptr, nullptr};
}

storage::sqlite::StoreOptions store_options(const std::string& folder) {
  storage::sqlite::StoreOptions options;
  options.path = folder + "/carillon.db";
  return options;
}

channels::webhook::DispatcherOptions dispatcher_options(const app::Settings& settings, const Time& time) {
  channels::webhook::DispatcherOptions options{
      .transfers = {.guard = channels::webhook::AddressGuard(settings.webhooks.allow_cidrs)},
      // Often enough that nothing runs out while the trial lasts.
      .schedule = channels::webhook::RetrySchedule(std::vector<std::int64_t>(400, 1'000))};
  options.monotonic = time.monotonic();
  return options;
}

void await(const std::future<void>& ready, const char* what) {
  if (ready.wait_for(patience) != std::future_status::ready) throw Divergence(std::string(what) + " does not end");
}

}  // namespace

RunningHub::RunningHub(const std::string& folder, const Time& time, unsigned loops)
    : adjustment_(adjustment_of(settings_of(folder))),
      time_(time),
      rules_(hub::Ownership(hub::OwnershipScope::key)),
      store_(storage::sqlite::open_store(store_options(folder), rules_, time)),
      watchdog_(store_->tallies(), {0, 0}),
      disk_(folder, folder + "/carillon.db", 0),
      health_(*store_, watchdog_, disk_),
      metrics_(*store_, watchdog_, disk_, [] { return 0; }),
      admission_({}),
      waiting_room_({adjustment_.settings.polling.waiting_max, adjustment_.settings.polling.waiting_per_key}),
      epoch_(store_->open_reader()->epoch()) {
  const app::ServingContext context{adjustment_, *store_,         rules_.ownership(), time_,  admission_,
                                    under_way_,  waiting_room_,   memories_,          epoch_, metrics_,
                                    health_,     time.monotonic()};
  for (unsigned i = 0; i < loops; ++i) loops_.push_back(std::make_unique<app::ServingLoop>(context));
  dispatcher_ =
      std::make_unique<channels::webhook::Dispatcher>(*store_, time_, dispatcher_options(adjustment_.settings, time));
  for (const auto& loop : loops_) loop->listen();
  dispatcher_->start();
  for (const auto& loop : loops_) loop->begin();
}

RunningHub::~RunningHub() {
  dispatcher_->stop();
  for (const auto& loop : loops_) {
    store_->remove(*loop);
    loop->end();
  }
}

std::shared_ptr<Wire> RunningHub::connect(Arrivals& arrivals, const Weather& weather, std::uint64_t seed) {
  auto wire = std::make_shared<Wire>(arrivals, weather, seed);
  loops_[next_loop_++ % loops_.size()]->adopt(Wire::hub_end(wire), app::Entrance::front);
  return wire;
}

void RunningHub::drain() {
  health_.note_draining();
  await(dispatcher_->drain(), "the dispatcher");
  for (const auto& loop : loops_) loop->drain(0);
}

void RunningHub::time_has_passed() {
  for (const auto& loop : loops_) loop->loop().post([] {});
  dispatcher_->loop().post([] {});
}

void RunningHub::each_loop_turns() {
  std::vector<std::future<void>> turned;
  const auto ask = [&](net::EventLoop& loop) {
    auto done = std::make_shared<std::promise<void>>();
    turned.push_back(done->get_future());
    loop.post([done] { done->set_value(); });
  };
  for (const auto& loop : loops_) ask(loop->loop());
  ask(dispatcher_->loop());
  for (const auto& one : turned) await(one, "a turn of a loop");
}

void RunningHub::settle() {
  each_loop_turns();  // what came in is read
  each_loop_turns();  // and was handed over at the end of that turn
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (store_->waiting() > 0) {
    if (std::chrono::steady_clock::now() > deadline) throw Divergence("the store does not come to an end");
    std::this_thread::sleep_for(std::chrono::microseconds(20));
  }
  each_loop_turns();
  each_loop_turns();
}

}  // namespace carillon::model
