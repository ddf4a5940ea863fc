// The one writer: changes queue here, and whatever has gathered while the last commit was under way goes into the next.
// Nobody waits on a timer: an idle committer commits at once, a busy one has a batch.
//
// A change that breaks a rule fails alone. Where the database itself fails, the batch is rolled back: with a failure
// that one change may have caused each is tried again on its own; with one that is the disk's (full, unreadable,
// read-only) all are refused as unavailable, and a probe each second finds out when writing works again. Where anyone
// has come upon damage, all are refused from then on, untried.
//
// Chores, which concern more rows than one commit should, go along in slices: see chores.h.
//
// Threads: queue(), writable(), damaged(), waiting(), newest_commit() and tallies() from any thread; the rest is the
// committer's own thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "hub/clock.h"
#include "hub/store.h"
#include "storage/sqlite/announcer.h"
#include "storage/sqlite/damage.h"
#include "storage/sqlite/pending_change.h"
#include "storage/sqlite/writer.h"

namespace carillon::storage::sqlite {

class Committer {
 public:
  struct Limits {
    std::size_t queue_max;  ///< changes that wait, those of the commit under way included
    std::size_t batch_max;  ///< changes in one commit; one that is many by itself is not divided
  };

  /// All outlive the committer.
  Committer(Writer& writer, Announcer& announcer, const hub::Clock& clock, Limits limits);
  /// Commits what is queued.
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  /// Takes the changes of one home, in order, and leaves `changes` empty. Those that the queue has no room for are
  /// answered `overloaded` from the calling thread.
  void queue(hub::Replies& changes);

  bool writable() const { return writable_.load(std::memory_order_relaxed) && !damaged(); }
  bool damaged() const { return damage_seen() != damage_before_; }
  std::size_t waiting() const;
  /// See hub::Store.
  std::uint64_t newest_commit() const { return newest_commit_.load(); }
  const hub::StoreTallies& tallies() const { return tallies_; }

 private:
  /// Each a PendingChange: nothing else is ever queued.
  using Changes = hub::Replies;
  using Slice = std::span<std::unique_ptr<hub::Reply>>;

  /// Changes, and how many they are by weight.
  struct Weighed {
    Slice changes;
    std::size_t weight;
  };

  void run();
  /// As many as one commit holds, at least one.
  Weighed first_of(Slice changes) const;
  /// Waits for changes and takes all there are; none when it is time for a probe or a chore; false when it is time to
  /// end.
  bool take(Changes& taken);
  /// How long to wait for changes.
  std::chrono::milliseconds patience() const;
  void commit(Slice changes);
  /// One transaction, with a slice of the chores where it is their time. Throws SqliteError, after the rollback.
  hub::CommitBatchPtr try_commit(Slice changes, bool with_chores);
  bool chores_wait() const;
  void do_chores();
  void count(const hub::CommitBatch& batch, Slice changes, std::chrono::steady_clock::time_point begun_at);
  void refuse(Slice changes, const std::string& detail);
  void probe();

  Writer& writer_;
  Announcer& announcer_;
  const hub::Clock& clock_;
  const Limits limits_;
  const std::uint64_t damage_before_ = damage_seen();  ///< of whatever was open then
  hub::Seq last_seq_;
  std::uint64_t last_number_ = 0;  ///< of the batches that were announced
  std::atomic<std::uint64_t> newest_commit_{0};
  std::chrono::steady_clock::time_point chores_rest_until_{};  ///< after one has failed
  std::atomic<bool> writable_{true};
  hub::StoreTallies tallies_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Changes waiting_;
  std::size_t queued_ = 0;  ///< by weight: waiting_ and what is taken but not yet answered
  bool asleep_ = false;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace carillon::storage::sqlite
