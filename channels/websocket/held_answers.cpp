#include "channels/websocket/held_answers.h"

#include <utility>

namespace carillon::channels::websocket {

class HeldAnswers::Held final : public net::Timer {
 public:
  Held(HeldAnswers& owner, std::function<void()> answer) : owner_(owner), answer_(std::move(answer)) {}

  std::list<Held>::iterator place;

  std::function<void()> take() { return std::move(answer_); }

 private:
  void on_timer() override { owner_.give(place); }

  HeldAnswers& owner_;
  std::function<void()> answer_;
};

HeldAnswers::HeldAnswers(net::EventLoop& loop, Admission& admission) : loop_(loop), admission_(admission) {}

HeldAnswers::~HeldAnswers() {
  for (std::size_t i = held_.size(); i > 0; --i) admission_.let_go();
}

bool HeldAnswers::hold(net::MonotonicMs delay_ms, std::function<void()> answer) {
  if (!admission_.hold()) return false;
  Held& held = held_.emplace_front(*this, std::move(answer));
  held.place = held_.begin();
  loop_.set_timer_in(held, delay_ms);
  return true;
}

void HeldAnswers::give(std::list<Held>::iterator which) {
  const std::function<void()> answer = which->take();
  held_.erase(which);
  admission_.let_go();
  answer();
}

void HeldAnswers::give_all() {
  while (!held_.empty()) give(held_.begin());
}

}  // namespace carillon::channels::websocket
