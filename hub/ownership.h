// Ownership: may this principal see this job? Every channel asks here, and nowhere else.
//
// Threads: immutable after construction; safe for concurrent use.
#pragma once

#include "hub/job.h"
#include "hub/principal.h"

namespace carillon::hub {

enum class OwnershipScope : std::uint8_t {
  key,     ///< a client key sees exactly the jobs it owns
  account  ///< a client key sees the jobs of its account's keys
};

/// Whose jobs and events somebody sees, as a choice among those of all.
struct Sight {
  enum class Of : std::uint8_t { all, account, key };
  Of of = Of::all;
  AccountId account{};
  KeyId key{};  ///< of `account`

  bool takes_in(const JobOwner& owner) const {
    switch (of) {
      case Of::all:
        return true;
      case Of::account:
        return owner.account == account;
      case Of::key:
        return owner.key == key;
    }
    return false;
  }
  friend bool operator==(const Sight&, const Sight&) = default;
};

class Ownership {
 public:
  explicit Ownership(OwnershipScope scope) : scope_(scope) {}

  /// Workers and admins read any job; a client what it owns.
  bool may_see(const Principal& who, const JobOwner& owner) const { return sight_of(who).takes_in(owner); }
  /// The same, for whoever looks for many.
  Sight sight_of(const Principal& who) const {
    if (who.role != Role::client) return {};
    return {scope_ == OwnershipScope::key ? Sight::Of::key : Sight::Of::account, who.account, who.key};
  }

  /// Workers report on any job; a client on what it owns; an admin on none.
  bool may_report(const Principal& who, const JobOwner& owner) const {
    return who.role == Role::worker || (who.role == Role::client && owns(who, owner));
  }

  /// Who owns a job may erase it; an admin any.
  bool may_erase(const Principal& who, const JobOwner& owner) const {
    return who.role == Role::admin || owns(who, owner);
  }

  OwnershipScope scope() const { return scope_; }

 private:
  bool owns(const Principal& who, const JobOwner& owner) const {
    return scope_ == OwnershipScope::key ? owner.key == who.key : owner.account == who.account;
  }

  OwnershipScope scope_;
};

}  // namespace carillon::hub
