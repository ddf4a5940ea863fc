#include "net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <limits>
#include <system_error>
#include <utility>

namespace carillon::net {
namespace {

constexpr std::size_t events_per_turn_max = 256;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

void control(int epoll, int operation, int fd, std::uint32_t events, IoHandler* handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = handler;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) fail("epoll_ctl");
}

}  // namespace

MonotonicMs steady_now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

EventLoop::EventLoop(MonotonicSource clock)
    : clock_(std::move(clock)), now_ms_(clock_()), timers_(now_ms_), scratch_(scratch_bytes) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) fail("eventfd");
  // The wake-up is the one descriptor without a handler. Edge-triggered, so that it need not be read.
  control(epoll_, EPOLL_CTL_ADD, wake_, EPOLLIN | EPOLLET, nullptr);
}

EventLoop::~EventLoop() {
  if (wake_ >= 0) close(wake_);
  if (epoll_ >= 0) close(epoll_);
}

void EventLoop::run() {
  thread_ = std::this_thread::get_id();
  std::array<epoll_event, events_per_turn_max> events{};
  while (!stopping_) {
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    now_ms_ = clock_();
    ready_.clear();
    for (int i = 0; i < count; ++i) {
      ready_.push_back(static_cast<IoHandler*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    for (std::size_t i = 0; i < ready_.size(); ++i) {
      if (IoHandler* handler = std::exchange(ready_[i], nullptr)) handler->on_io(events[i].events);
    }
    run_posted();
    timers_.advance(now_ms_);
    run_turn_ends();
  }
  run_posted();
  run_turn_ends();
}

int EventLoop::wait_ms() const {
  if (posted_here_) return 0;
  const auto idle = timers_.idle_ms(now_ms_);
  if (!idle) return -1;
  return static_cast<int>(std::min<MonotonicMs>(*idle, std::numeric_limits<int>::max()));
}

void EventLoop::stop() {
  post([this] { stopping_ = true; });
}

void EventLoop::post(std::function<void()> task) {
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(task));
  }
  if (on_thread()) {
    posted_here_ = true;
    return;
  }
  if (woken_.exchange(true)) return;
  const std::uint64_t one = 1;
  // The counter cannot overflow and the descriptor is ours, so this cannot fail.
  [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
}

void EventLoop::run_posted() {
  // Cleared before the list is taken: what is posted from here on wakes the loop again.
  if (!woken_.exchange(false) && !posted_here_) return;
  posted_here_ = false;
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(posted_mutex_);
    tasks.swap(posted_);
  }
  for (auto& task : tasks) task();
}

void EventLoop::run_turn_ends() {
  // What is asked for meanwhile is still part of this turn.
  for (std::size_t i = 0; i < turn_ends_.size(); ++i) {
    if (TurnEnd* who = turn_ends_[i]) who->on_turn_end();
  }
  turn_ends_.clear();
}

void EventLoop::forget(TurnEnd& who) {
  std::replace(turn_ends_.begin(), turn_ends_.end(), &who, static_cast<TurnEnd*>(nullptr));
}

void EventLoop::watch(int fd, std::uint32_t events, IoHandler& handler) {
  control(epoll_, EPOLL_CTL_ADD, fd, events, &handler);
}

void EventLoop::rewatch(int fd, std::uint32_t events, IoHandler& handler) {
  control(epoll_, EPOLL_CTL_MOD, fd, events, &handler);
}

void EventLoop::unwatch(int fd, IoHandler& handler) {
  // A descriptor that is already closed has left the epoll set by itself.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  std::replace(ready_.begin(), ready_.end(), &handler, static_cast<IoHandler*>(nullptr));
}

}  // namespace carillon::net
