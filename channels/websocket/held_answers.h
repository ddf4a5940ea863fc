// Answers that are held back for a while: each costs a timer and a place in a list, and nothing runs for it meanwhile.
//
// Threads: belongs to its loop.
#pragma once

#include <functional>
#include <list>

#include "channels/websocket/admission.h"
#include "net/event_loop.h"

namespace carillon::channels::websocket {

class HeldAnswers {
 public:
  HeldAnswers(net::EventLoop& loop, Admission& admission);
  /// What is still held is never answered.
  ~HeldAnswers();
  HeldAnswers(const HeldAnswers&) = delete;
  HeldAnswers& operator=(const HeldAnswers&) = delete;

  /// Calls `answer` after `delay_ms`; false, and nothing held, when the hub holds as many as it may.
  bool hold(net::MonotonicMs delay_ms, std::function<void()> answer);

  /// Gives all of them now.
  void give_all();

 private:
  class Held;

  void give(std::list<Held>::iterator which);

  net::EventLoop& loop_;
  Admission& admission_;
  std::list<Held> held_;
};

}  // namespace carillon::channels::websocket
