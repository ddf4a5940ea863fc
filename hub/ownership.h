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

class Ownership {
 public:
  explicit Ownership(OwnershipScope scope) : scope_(scope) {}

  /// Workers and admins read any job; a client what it owns.
  bool may_see(const Principal& who, const JobOwner& owner) const {
    return who.role != Role::client || owns(who, owner);
  }

  /// Workers report on any job; a client on what it owns; an admin on none.
  bool may_report(const Principal& who, const JobOwner& owner) const {
    return who.role == Role::worker || (who.role == Role::client && owns(who, owner));
  }

  OwnershipScope scope() const { return scope_; }

 private:
  bool owns(const Principal& who, const JobOwner& owner) const {
    return scope_ == OwnershipScope::key ? owner.key == who.key : owner.account == who.account;
  }

  OwnershipScope scope_;
};

}  // namespace carillon::hub
