// A list that its members leave by themselves, at the cost of two pointers: a ring of places, one of which stands for
// the list and the others each for a member.
//
// Threads: one.
#pragma once

#include <utility>

namespace carillon::channels::polling {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { leave(); }

  /// Of a list: it has no members. Of a member: it stands in no list.
  bool alone() const { return next_ == this; }

  void leave() noexcept {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }

 private:
  template <typename Member>
  friend class RingOf;

  /// Behind all others of the list.
  void join(Ring& list) noexcept {
    leave();
    previous_ = list.previous_;
    next_ = &list;
    previous_->next_ = this;
    list.previous_ = this;
  }

  Ring* previous_ = this;
  Ring* next_ = this;
};

/// A list of members that derive from their Place in it.
template <typename Member>
class RingOf {
 public:
  struct Place : Ring {};

  bool empty() const { return ring_.alone(); }
  void add(Member& member) { static_cast<Place&>(member).join(ring_); }
  Member& first() { return member_of(ring_.next_); }

  /// Calls `visit(Member&)` for each, which may leave the list, or be destroyed, by that; no other may.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (Ring* at = ring_.next_; at != &ring_;) {
      Ring* const next = at->next_;
      visit(member_of(at));
      at = next;
    }
  }

 private:
  static Member& member_of(Ring* ring) { return static_cast<Member&>(static_cast<Place&>(*ring)); }

  Ring ring_;
};

}  // namespace carillon::channels::polling
