// The numbers of rows that can be erased: each is given once. A row that is gone must not lend its number to a later
// one, or what was noted of the one (an attempt, a place in a list) would be taken to be of the other.
//
// Threads: the committer's.
#pragma once

#include <cstdint>
#include <string>

#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class GivenNumbers {
 public:
  /// Of the rows of `table`, numbered by its column `column`; the last one given is kept in meta under `name`, where
  /// the table does not have it any more.
  GivenNumbers(sqlite3* handle, const std::string& table, const std::string& column, std::string name);

  std::int64_t next() { return ++last_; }

  /// To be told, in the same transaction, of each row that is erased.
  void erasing(std::int64_t number);

  void rolled_back() { given_on_disk_ = 0; }

 private:
  const std::string name_;
  std::int64_t last_ = 0;
  std::int64_t given_on_disk_ = 0;  ///< what is written of `last_`; 0 where that is not known
  Statement keep_;
};

}  // namespace carillon::storage::sqlite
