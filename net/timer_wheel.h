// Timers by the ten thousand: a hierarchical timing wheel (Varghese and Lauck, 1987). Setting, moving and cancelling
// one costs the same however many there are, and an idle connection's timer costs nothing but its place in a list.
//
// Threads: a wheel and its timers belong to one thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace carillon::net {

/// Milliseconds of a clock that never goes back; its zero means nothing.
using MonotonicMs = std::int64_t;

/// A span in whole seconds, rounded up: who is told to wait for so long does not come too early.
constexpr int up_to_s(MonotonicMs span_ms) { return static_cast<int>((span_ms + 999) / 1000); }

class TimerWheel;

/// Something that is to happen once, at or a little after a time. Derive from it, or hold one and give it what to do.
/// Cancels itself when destroyed.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() { cancel(); }

  bool pending() const { return next_ != nullptr; }
  void cancel();

 protected:
  /// Called on the wheel's thread. The timer is no longer pending, and may be set again or destroyed here.
  virtual void on_timer() = 0;

 private:
  friend class TimerWheel;
  Timer* previous_ = nullptr;
  Timer* next_ = nullptr;
  TimerWheel* wheel_ = nullptr;
  std::int64_t tick_ = 0;
};

class TimerWheel {
 public:
  /// Timers never fire early, and late by up to this much.
  static constexpr MonotonicMs tick_ms = 16;
  /// A timer set for later than this (over eight days) fires then.
  static constexpr MonotonicMs reach_ms = tick_ms << 25U;

  explicit TimerWheel(MonotonicMs now_ms);
  ~TimerWheel();
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;

  /// Sets the timer, or moves it.
  void set(Timer& timer, MonotonicMs at_ms);

  /// Fires what is due, in the order of the ticks. What a timer sets for now fires at the next call.
  void advance(MonotonicMs now_ms);

  /// How long nothing can happen: until the next occupied tick, or until a coarser slot must be looked into; none when
  /// no timer is set.
  std::optional<MonotonicMs> idle_ms(MonotonicMs now_ms) const;

  std::size_t size() const { return size_; }

 private:
  friend class Timer;

  // Level 0 holds single ticks, each level above 32 times as much a slot.
  static constexpr unsigned slot_bits = 5;
  static constexpr unsigned levels = 5;
  static constexpr std::size_t slots = std::size_t{1} << slot_bits;

  struct Slot final : Timer {
    void on_timer() override {}
  };

  void place(Timer& timer);
  void link(Timer& timer, unsigned level, std::size_t slot);
  static void unlink(Timer& timer);
  void cascade(unsigned level);

  std::int64_t tick_;  ///< the last tick that was fired
  std::size_t size_ = 0;
  std::array<std::array<Slot, slots>, levels> wheel_;
  std::array<std::uint32_t, levels> occupied_{};  ///< a bit a slot; may be set for a slot that has become empty
};

}  // namespace carillon::net
