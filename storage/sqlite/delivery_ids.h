// The numbers of deliveries: each is given once. A row that is gone must not lend its number to a later one, or an
// attempt at the one would be taken for an attempt at the other.
//
// Threads: the committer's.
#pragma once

#include "hub/id.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class DeliveryIds {
 public:
  explicit DeliveryIds(sqlite3* handle);

  hub::DeliveryId next() { return {++last_}; }

  /// To be told, in the same transaction, of each row that is erased.
  void erasing(hub::DeliveryId id);

  void rolled_back() { given_on_disk_ = 0; }

 private:
  std::int64_t last_ = 0;
  std::int64_t given_on_disk_ = 0;  ///< what is written of `last_`; 0 where that is not known
  Statement keep_;
};

}  // namespace carillon::storage::sqlite
