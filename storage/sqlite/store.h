// The embedded store: SQLite in one file, one writer that gathers changes into commits, any number of readers beside it
// (WAL).
//
// Threads: as hub/store.h says.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "hub/clock.h"
#include "hub/rules.h"
#include "hub/store.h"

namespace carillon::storage::sqlite {

struct StoreOptions {
  std::string path;
  std::size_t queue_max = 65'536;  ///< changes that may wait for a commit
  std::size_t batch_max = 1'000;   ///< changes in one commit
};

/// Opens the database, makes or migrates it, and starts the writer. Throws hub::StoreError that names the file. `rules`
/// and `clock` must outlive the store.
std::unique_ptr<hub::Store> open_store(const StoreOptions& options, const hub::Rules& rules, const hub::Clock& clock);

}  // namespace carillon::storage::sqlite
