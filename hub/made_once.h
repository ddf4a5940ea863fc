// A rendering that is made by whoever needs it first and shared by everyone after.
#pragma once

#include <atomic>
#include <type_traits>

#include "hub/text.h"

namespace carillon::hub {

/// Threads: any number may ask at once; one makes the text, the others wait for it.
///
/// Not std::call_once: glibc's makes a system call to wake waiters after every first call, also where nobody waits.
class MadeOnce {
 public:
  /// `make` returns a std::string or a Text; it runs at most once in the life of this object, unless it throws.
  template <typename Make>
  const Text& get(Make&& make) const {
    while (state_.load(std::memory_order_acquire) != State::made) {
      State seen = State::none;
      if (state_.compare_exchange_strong(seen, State::making, std::memory_order_acquire)) {
        make_it(make);
      } else if (seen == State::making) {
        state_.wait(State::making, std::memory_order_acquire);
      }
    }
    return text_;
  }

 private:
  enum class State : int { none, making, made };  // an int can be waited for directly

  template <typename Make>
  void make_it(Make& make) const {
    try {
      if constexpr (std::is_same_v<decltype(make()), Text>) {
        text_ = make();
      } else {
        text_ = make_text(make());
      }
    } catch (...) {
      become(State::none);
      throw;
    }
    become(State::made);
  }

  void become(State state) const {
    state_.store(state, std::memory_order_release);
    state_.notify_all();
  }

  mutable std::atomic<State> state_{State::none};
  mutable Text text_;
};

}  // namespace carillon::hub
