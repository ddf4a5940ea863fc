// Members by what they see: all, an account's, or a key's. An event finds those it is for.
//
// Threads: one.
#pragma once

#include <unordered_map>

#include "channels/polling/ring.h"
#include "hub/job.h"
#include "hub/ownership.h"

namespace carillon::channels::polling {

template <typename Member>
class SightIndex {
 public:
  using Members = RingOf<Member>;

  void add(const hub::Sight& sight, Member& member) {
    switch (sight.of) {
      case hub::Sight::Of::all:
        return all_.add(member);
      case hub::Sight::Of::account:
        return by_account_[sight.account].add(member);
      case hub::Sight::Of::key:
        return by_key_[sight.key].add(member);
    }
  }

  /// For whoever has left by itself.
  void drop_if_empty(const hub::Sight& sight) {
    if (sight.of == hub::Sight::Of::account) drop_if_empty(by_account_, sight.account);
    if (sight.of == hub::Sight::Of::key) drop_if_empty(by_key_, sight.key);
  }

  bool empty() const { return all_.empty() && by_account_.empty() && by_key_.empty(); }

  /// Calls `visit(Members&)` for each list that is not empty and whose sight takes the owner in.
  template <typename Visit>
  void for_each_of(const hub::JobOwner& owner, Visit&& visit) {
    if (!all_.empty()) visit(all_);
    if (const auto found = by_account_.find(owner.account); found != by_account_.end()) visit(found->second);
    if (const auto found = by_key_.find(owner.key); found != by_key_.end()) visit(found->second);
  }

 private:
  template <typename Map, typename Id>
  static void drop_if_empty(Map& map, Id id) {
    const auto found = map.find(id);
    if (found != map.end() && found->second.empty()) map.erase(found);
  }

  Members all_;
  std::unordered_map<hub::AccountId, Members> by_account_;
  std::unordered_map<hub::KeyId, Members> by_key_;
};

}  // namespace carillon::channels::polling
