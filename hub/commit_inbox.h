// What a listener was told by the store and has not yet looked at: the way over from the store's thread to its own.
//
// Threads: put() from any, take() from the listener's own.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "hub/store.h"

namespace carillon::hub {

class CommitInbox {
 public:
  /// One call of CommitListener::on_commit.
  struct Commit {
    CommitBatchPtr batch;  ///< null where there are only replies
    Replies replies;
  };

  /// True when nothing else was waiting: then the taker is to be woken.
  bool put(const CommitBatchPtr& batch, Replies replies) {
    const std::lock_guard lock(mutex_);
    commits_.push_back({batch, std::move(replies)});
    return commits_.size() == 1;
  }

  /// All that is waiting, in the order in which it was told.
  std::vector<Commit> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(commits_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Commit> commits_;
};

}  // namespace carillon::hub
