// The event loop: one thread that waits (epoll) for sockets, timers and messages from other threads, and serves each
// in turn. What lives on a loop is touched by its thread alone, so it needs no locks; the only way over is post().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "net/timer_wheel.h"

namespace carillon::net {

/// Where time comes from; a test passes its own.
using MonotonicSource = std::function<MonotonicMs()>;
MonotonicMs steady_now_ms();

/// Who is told that a descriptor is ready.
class IoHandler {
 public:
  virtual ~IoHandler() = default;
  /// `events` as of epoll(7): EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLHUP, EPOLLERR.
  virtual void on_io(std::uint32_t events) = 0;
};

/// Who has something to finish when all that a turn of the loop brought has been handled: so that many small things
/// for one receiver leave in one write.
class TurnEnd {
 public:
  virtual ~TurnEnd() = default;
  virtual void on_turn_end() = 0;
};

class EventLoop {
 public:
  explicit EventLoop(MonotonicSource clock = steady_now_ms);
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Serves until stop(); what was posted before stop() is still run. The calling thread becomes the loop's.
  void run();

  /// From any thread.
  void stop();

  /// From any thread: runs `task` on the loop's thread, in the order posted by that thread. At most one wake-up is
  /// under way at a time, however much is posted.
  void post(std::function<void()> task);

  // The rest is for the loop's own thread (or before run()).

  /// Watches a descriptor for `events`; level-triggered unless EPOLLET is among them. Throws std::system_error.
  void watch(int fd, std::uint32_t events, IoHandler& handler);
  void rewatch(int fd, std::uint32_t events, IoHandler& handler);
  /// Afterwards the handler is not called any more, not even for what the present turn has already brought.
  void unwatch(int fd, IoHandler& handler);

  /// Calls `who.on_turn_end()` once, when this turn is done. To be asked for anew in each turn.
  void at_turn_end(TurnEnd& who) { turn_ends_.push_back(&who); }
  /// Takes back what at_turn_end() was asked, before `who` goes.
  void forget(TurnEnd& who);

  TimerWheel& timers() { return timers_; }
  /// The time at which this turn began.
  MonotonicMs now_ms() const { return now_ms_; }
  void set_timer_in(Timer& timer, MonotonicMs delay_ms) { timers_.set(timer, now_ms_ + delay_ms); }

  /// Room to read into, for as long as one handler runs.
  std::span<char> scratch() { return scratch_; }

  bool on_thread() const { return thread_.load(std::memory_order_relaxed) == std::this_thread::get_id(); }

  static constexpr std::size_t scratch_bytes = 64 * 1024;

 private:
  void run_posted();
  void run_turn_ends();
  int wait_ms() const;

  int epoll_ = -1;
  int wake_ = -1;
  MonotonicSource clock_;
  MonotonicMs now_ms_;
  TimerWheel timers_;
  std::atomic<std::thread::id> thread_{};
  std::vector<char> scratch_;
  std::vector<TurnEnd*> turn_ends_;
  /// The part of the present turn's events that is still to be handled; unwatch() strikes handlers out.
  std::vector<IoHandler*> ready_;
  bool stopping_ = false;
  bool posted_here_ = false;  ///< the loop's own thread has posted: no wake-up needed, but no waiting either

  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;
  std::atomic<bool> woken_{false};
};

}  // namespace carillon::net
