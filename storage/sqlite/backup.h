// A copy of a database as it stands at one moment, made while others write to it.
//
// A snapshot is held from the first page to the last (the database is in WAL mode, so that keeps nobody from writing):
// what is committed meanwhile is not in it, and does not make it begin anew. It is copied in small steps, each of which
// is on disk before the next, so that a commit that syncs meanwhile does not find the disk busy with the whole copy.
//
// The log cannot begin anew while the snapshot is held: it grows by what is committed meanwhile.
//
// Threads: one at a time; any number of processes beside it.
#pragma once

#include <string>

#include "storage/new_file.h"
#include "storage/sqlite/database_facts.h"

namespace carillon::storage::sqlite {

/// When it returns, the copy is on disk under its name, checked from the first page to the last. Throws hub::StoreError
/// that says what failed; there is no new file then, and what was there before stays.
DatabaseFacts back_up(const std::string& database, const std::string& file, NewFile::Existing existing,
                      const Progress& progress);

}  // namespace carillon::storage::sqlite
