// A request whose answer waits: for what it asks about, for its time to be up, or for the asker to go. It costs a timer
// and its places in lists, and is gone with its answer.
//
// Threads: belongs to its loop.
#pragma once

#include "channels/polling/guests.h"
#include "net/http/router.h"

namespace carillon::channels::polling {

/// Made with `new`; owns itself until it is answered.
class WaitingPoll : public Guest, private net::Timer, private net::http::Departure {
 public:
  ~WaitingPoll() override;

  /// Sends the answer, and is destroyed.
  void answer(net::http::Response response);

  void dismiss() override { answer_present(); }
  void turn_away(hub::AuthRefusal why) override;

 protected:
  WaitingPoll(Guests& guests, const hub::Principal& who, const net::http::Responder& responder,
              net::MonotonicMs until_ms);

  /// What is answered when the wait is over without what was waited for. May throw hub::StoreError.
  virtual net::http::Response present() = 0;

 private:
  void answer_present();
  void set_deadline();
  void on_timer() override;
  void on_departed() noexcept override;
  void on_key_time_changed() override { set_deadline(); }

  net::http::Responder responder_;
  net::MonotonicMs until_ms_;
};

}  // namespace carillon::channels::polling
