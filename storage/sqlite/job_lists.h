// Reads jobs by the dozen: a page of a list, or those of some ids. What a list costs is bounded: jobs that are looked
// at, and bytes of results.
//
// Threads: those of the reader whose connection it reads on.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hub/store.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class JobLists {
 public:
  explicit JobLists(sqlite3* handle);

  hub::Reader::JobList page(const hub::Reader::JobPage& page);
  std::vector<hub::Reader::ListedJob> some(const hub::Sight& of, const std::vector<hub::JobId>& ids,
                                           std::size_t result_bytes_max);

 private:
  /// What of the results still has room.
  struct Room {
    std::size_t bytes_left;
  };
  struct Found {
    std::vector<std::int64_t> rows;
    std::optional<std::int64_t> next;
  };

  Found find(const hub::Reader::JobPage& page);
  /// Reads a job with its result or, where there is no room, without.
  template <typename Id>
  std::optional<hub::Reader::ListedJob> read(Statement& whole, Statement& without_result, const Id& id,
                                             const hub::Sight& of, Room& room);

  Statement ends_;  ///< the last job and the first
  Statement of_all_;
  Statement of_account_;
  Statement of_key_;
  Statement by_row_;
  Statement by_row_without_result_;
  Statement by_id_;
  Statement by_id_without_result_;
};

}  // namespace carillon::storage::sqlite
