#include "app/watchdog.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace carillon::app {
namespace {

constexpr std::chrono::milliseconds asks_every{500};
constexpr std::string_view store_part = "store";

}  // namespace

Watchdog::Watchdog(const hub::StoreTallies& store, const Limits& limits, net::MonotonicSource clock)
    : store_(store), limits_(limits), clock_(std::move(clock)) {}

Watchdog::~Watchdog() { stop(); }

void Watchdog::watch(std::string part, net::EventLoop& loop) {
  parts_.push_back(std::make_unique<Part>(std::move(part), loop));
}

void Watchdog::start() {
  watching_ = true;
  thread_ = std::thread([this] { run(); });
}

void Watchdog::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  watching_ = false;
}

void Watchdog::run() {
  pthread_setname_np(pthread_self(), "watchdog");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    ask();
    wake_.wait_for(lock, asks_every, [this] { return stopping_; });
  }
}

void Watchdog::ask() {
  watching_ = true;
  for (const auto& each : parts_) {
    Part& part = *each;
    if (part.unanswered_since_ms.load(std::memory_order_acquire) != 0) continue;
    part.asked_at = std::chrono::steady_clock::now();
    part.unanswered_since_ms.store(clock_(), std::memory_order_relaxed);
    part.loop.post([&part] {
      part.lag_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - part.asked_at).count());
      part.unanswered_since_ms.store(0, std::memory_order_release);
    });
  }
}

net::MonotonicMs Watchdog::stuck_for_ms(const Part& part) const {
  const net::MonotonicMs since = part.unanswered_since_ms.load(std::memory_order_relaxed);
  if (since == 0 || limits_.loop_ms == 0 || !watching_.load(std::memory_order_relaxed)) return 0;
  const net::MonotonicMs age = clock_() - since;
  return age >= limits_.loop_ms ? age : 0;
}

std::vector<Watchdog::Stuck> Watchdog::stuck() const {
  std::vector<Stuck> found;
  for (const auto& part : parts_) {
    if (const net::MonotonicMs age = stuck_for_ms(*part); age > 0) found.push_back({part->name, age});
  }
  const auto begun_ms = static_cast<net::MonotonicMs>(store_.commit_begun_ms.read());
  if (begun_ms != 0 && limits_.commit_ms != 0) {
    const net::MonotonicMs age = clock_() - begun_ms;
    if (age >= limits_.commit_ms) found.push_back({std::string(store_part), age});
  }
  return found;
}

bool Watchdog::turns(const net::EventLoop& loop) const {
  return std::none_of(parts_.begin(), parts_.end(),
                      [&](const auto& part) { return &part->loop == &loop && stuck_for_ms(*part) > 0; });
}

std::vector<Watchdog::Lag> Watchdog::lags() const {
  std::vector<Lag> lags;
  lags.reserve(parts_.size());
  for (const auto& part : parts_) lags.push_back({part->name, part->lag_seconds});
  return lags;
}

std::vector<std::string_view> Watchdog::parts() const {
  std::vector<std::string_view> names;
  names.reserve(parts_.size() + 1);
  for (const auto& part : parts_) names.emplace_back(part->name);
  names.push_back(store_part);
  return names;
}

}  // namespace carillon::app
