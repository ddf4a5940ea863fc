// Whose turn it is: accounts one after the other, and within an account its endpoints one after the other. An account
// with a thousand endpoints, or an endpoint with a million deliveries, gets as many turns as one with one.
//
// Threads: the dispatcher's.
#pragma once

#include <cstddef>
#include <deque>
#include <unordered_map>

#include "hub/id.h"

namespace carillon::channels::webhook {

class Turns {
 public:
  bool empty() const { return accounts_.empty(); }

  /// Lines up; an endpoint stands in line once.
  void add(hub::AccountId account, hub::EndpointId endpoint) {
    auto& line = lines_[account];
    if (line.empty()) accounts_.push_back(account);
    line.push_back(endpoint);
  }

  /// The next one, which leaves the line.
  hub::EndpointId take() {
    const hub::AccountId account = accounts_.front();
    accounts_.pop_front();
    const auto found = lines_.find(account);
    const hub::EndpointId endpoint = found->second.front();
    found->second.pop_front();
    if (!found->second.empty()) {
      accounts_.push_back(account);
    } else if (lines_.size() > lines_kept_max) {
      lines_.erase(found);
    }
    return endpoint;
  }

 private:
  /// Lines are kept when they are empty, for most will soon be needed again; but not all there ever were.
  static constexpr std::size_t lines_kept_max = 1'000;

  std::deque<hub::AccountId> accounts_;  ///< those with someone in line, each once
  std::unordered_map<hub::AccountId, std::deque<hub::EndpointId>> lines_;
};

}  // namespace carillon::channels::webhook
