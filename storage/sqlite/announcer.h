// Tells every listener of each commit, in order, each with the replies that are its own.
//
// Threads: announce() is the committer's; the rest from any thread. A listener is called under the announcer's lock, so
// one that was removed is not being called.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "hub/store.h"
#include "storage/sqlite/pending_change.h"

namespace carillon::storage::sqlite {

class Announcer {
 public:
  /// The history before the first commit that is announced.
  void begin_after(hub::Seq last) { last_.last = last; }

  /// Returns what was announced last.
  hub::Store::Beginning add(hub::CommitListener& listener);
  void remove(hub::CommitListener& listener);

  /// `batch` is null where the changes were refused. The changes go home as replies; those of a listener that is gone
  /// are dropped.
  void announce(const hub::CommitBatchPtr& batch, std::span<std::unique_ptr<hub::Reply>> changes);

 private:
  struct Entry {
    hub::CommitListener* listener;
    hub::Replies replies;
  };

  std::mutex mutex_;
  std::vector<Entry> listeners_;  ///< a handful: one a loop, one for the webhooks
  hub::Store::Beginning last_;
};

}  // namespace carillon::storage::sqlite
