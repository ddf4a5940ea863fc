// Submissions that came under an idempotency key, kept for some time with the job that came of them: written in the
// same transaction, so that the one is on disk if and only if the other is.
//
// Threads: the committer's.
#pragma once

#include <cstddef>
#include <optional>

#include "hub/clock.h"
#include "hub/store.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class IdempotencyKeys {
 public:
  IdempotencyKeys(sqlite3* handle, hub::UnixMs keep_ms);

  struct Earlier {
    hub::Sha256 body{};
    hub::Job job;  ///< as it was submitted
  };
  /// What came under the key of that caller, if its time is not over.
  std::optional<Earlier> find(hub::UnixMs now_ms, hub::KeyId by, const std::string& key);

  /// The key is free, or its time is over.
  void keep(hub::KeyId by, const hub::IdempotencyKey& key, const hub::Job& job);

  /// Whether it is time to look for what is too old.
  bool wait(hub::UnixMs now_ms) const;
  /// Erases what is, at most `rows_left`, and takes from them what it has done.
  void erase_old(hub::UnixMs now_ms, std::size_t& rows_left);

 private:
  const hub::UnixMs keep_ms_;
  hub::UnixMs looked_at_ms_ = 0;  ///< when there was nothing too old left

  Statement find_;
  Statement keep_;
  Statement erase_old_;
};

}  // namespace carillon::storage::sqlite
