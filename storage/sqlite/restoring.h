// Puts a backup in the place of a data directory's database.
//
// It is copied beside the database and checked there, and given an epoch of its own, so that who goes on from a number
// of the history before is told that it is another's. Then the database that was there is kept aside, under a name of
// its own, and the copy takes its place in one step: at every moment there is the old one or the new one.
//
// Threads: one at a time. No hub may use the database: that is for the caller to see to.
#pragma once

#include <string>

#include "hub/clock.h"
#include "storage/new_file.h"
#include "storage/sqlite/database_facts.h"

namespace carillon::storage::sqlite {

class Restoring {
 public:
  /// Copies and checks; the database is not touched. Throws hub::StoreError that says what is wrong with the file.
  Restoring(const std::string& file, const std::string& database, const Progress& progress);

  const DatabaseFacts& facts() const { return facts_; }

  struct Done {
    std::string kept_aside;  ///< where the database is that was there; empty where there was none
    std::string epoch;
  };
  /// Throws hub::StoreError; the database that was there is there still.
  Done put_in_place(hub::UnixMs now_ms);

 private:
  std::string keep_aside(hub::UnixMs now_ms) const;

  const std::string database_;
  NewFile copy_;
  DatabaseFacts facts_;
};

}  // namespace carillon::storage::sqlite
