// Who stays on a loop for a while: polls that wait and streams that are open. A guest has a place in the waiting room,
// and is asked to leave when its key holds no longer or the hub goes away.
//
// Threads: belongs to its loop.
#pragma once

#include <cstddef>

#include "channels/polling/ring.h"
#include "channels/polling/waiting_room.h"
#include "hub/authenticator.h"
#include "hub/clock.h"
#include "hub/principal.h"
#include "hub/tally.h"
#include "net/event_loop.h"

namespace carillon::channels::polling {

class Guests;

class Guest : public RingOf<Guest>::Place {
 public:
  /// It has been admitted to the waiting room, and gives its place back when it goes.
  Guest(Guests& guests, const hub::Principal& who);
  virtual ~Guest();
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  // Each of the two may destroy it.
  /// The hub goes away.
  virtual void dismiss() = 0;
  /// Its key is not let in any more.
  virtual void turn_away(hub::AuthRefusal why) = 0;

 protected:
  Guests& guests() const { return guests_; }
  /// Is no guest any more; idempotent.
  void give_place_back() noexcept;
  /// When its key ends by itself, as the loop's clock has it; never later than `at_most_ms`.
  net::MonotonicMs key_ends_ms(net::MonotonicMs at_most_ms) const;
  bool key_has_ended() const;
  /// The key holds for another time than before: whoever has set a timer by it sets it anew.
  virtual void on_key_time_changed() {}

 private:
  friend class Guests;

  Guests& guests_;
  hub::Principal who_;
};

class Guests final : private net::Timer {
 public:
  Guests(net::EventLoop& loop, const hub::Clock& clock, hub::Authenticator& authenticator, WaitingRoom& room)
      : loop_(loop), clock_(clock), authenticator_(authenticator), room_(room) {}

  net::EventLoop& loop() const { return loop_; }
  const hub::Clock& clock() const { return clock_; }
  WaitingRoom& room() const { return room_; }

  /// Some key or account is not what it was. To be called after Authenticator::forget().
  void recheck_keys();
  /// What a key is told now.
  hub::AuthRefusal refusal_of(const Guest& guest) const;

  /// Dismisses all, some a turn; from now on nobody should come.
  void drain();
  bool draining() const { return draining_; }
  bool empty() const { return all_.empty(); }
  /// How many of them are polls; may be asked from any thread.
  std::size_t polls() const { return polls_.read(); }

 private:
  friend class Guest;
  friend class WaitingPoll;

  void on_timer() override;

  net::EventLoop& loop_;
  const hub::Clock& clock_;
  hub::Authenticator& authenticator_;
  WaitingRoom& room_;
  RingOf<Guest> all_;
  hub::Tally polls_;
  bool draining_ = false;
};

}  // namespace carillon::channels::polling
