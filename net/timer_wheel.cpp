#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace carillon::net {

void Timer::cancel() {
  if (next_ == nullptr) return;
  TimerWheel::unlink(*this);
  if (wheel_ != nullptr) --wheel_->size_;
}

TimerWheel::TimerWheel(MonotonicMs now_ms) : tick_(now_ms / tick_ms) {
  for (auto& level : wheel_) {
    for (Slot& slot : level) slot.next_ = slot.previous_ = &slot;
  }
}

TimerWheel::~TimerWheel() {
  for (auto& level : wheel_) {
    for (Slot& slot : level) {
      while (slot.next_ != &slot) unlink(*slot.next_);
      slot.next_ = slot.previous_ = nullptr;
    }
  }
}

void TimerWheel::unlink(Timer& timer) {
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what is linked has both neighbours.
  timer.previous_->next_ = timer.next_;
  timer.next_->previous_ = timer.previous_;
  timer.next_ = timer.previous_ = nullptr;
}

void TimerWheel::link(Timer& timer, unsigned level, std::size_t slot) {
  Slot& head = wheel_[level][slot];
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
  occupied_[level] |= std::uint32_t{1} << slot;
}

void TimerWheel::place(Timer& timer) {
  const std::int64_t delta = timer.tick_ - tick_;
  unsigned level = 0;
  while (level + 1 < levels && delta >= std::int64_t{1} << (slot_bits * (level + 1))) ++level;
  link(timer, level, static_cast<std::size_t>(timer.tick_ >> (slot_bits * level)) & (slots - 1));
}

void TimerWheel::set(Timer& timer, MonotonicMs at_ms) {
  timer.cancel();
  const std::int64_t tick = (at_ms + tick_ms - 1) / tick_ms;  // rounded up: never early
  constexpr std::int64_t reach = (std::int64_t{1} << (slot_bits * levels)) - 1;
  timer.tick_ = std::clamp(tick, tick_ + 1, tick_ + reach);
  timer.wheel_ = this;
  ++size_;
  place(timer);
}

void TimerWheel::cascade(unsigned level) {
  const auto index = static_cast<std::size_t>(tick_ >> (slot_bits * level)) & (slots - 1);
  Slot& slot = wheel_[level][index];
  occupied_[level] &= ~(std::uint32_t{1} << index);
  // Everything here is due within the next turn of the level below, so none of it is placed here again.
  while (slot.next_ != &slot) {
    Timer& timer = *slot.next_;
    unlink(timer);
    place(timer);
  }
}

void TimerWheel::advance(MonotonicMs now_ms) {
  const std::int64_t target = now_ms / tick_ms;
  while (tick_ < target) {
    if (size_ == 0) {
      tick_ = target;
      return;
    }
    ++tick_;
    // Coarser slots first, so that what they hold for this very tick is in place to fire.
    for (unsigned level = levels - 1; level > 0; --level) {
      const std::int64_t below = (std::int64_t{1} << (slot_bits * level)) - 1;
      if ((tick_ & below) == 0) cascade(level);
    }
    const auto index = static_cast<std::size_t>(tick_) & (slots - 1);
    Slot& slot = wheel_[0][index];
    occupied_[0] &= ~(std::uint32_t{1} << index);
    while (slot.next_ != &slot) {
      Timer& timer = *slot.next_;
      timer.cancel();
      timer.on_timer();
    }
  }
}

std::optional<MonotonicMs> TimerWheel::idle_ms(MonotonicMs now_ms) const {
  if (size_ == 0) return std::nullopt;
  std::int64_t next = tick_ + (std::int64_t{1} << (slot_bits * levels));
  for (unsigned level = 0; level < levels; ++level) {
    if (occupied_[level] == 0) continue;
    const std::int64_t here = tick_ >> (slot_bits * level);
    const auto first = static_cast<int>((here + 1) & static_cast<std::int64_t>(slots - 1));
    const int steps = std::countr_zero(std::rotr(occupied_[level], first));
    next = std::min(next, (here + 1 + steps) << (slot_bits * level));
  }
  return std::max<MonotonicMs>(0, next * tick_ms - now_ms);
}

}  // namespace carillon::net
