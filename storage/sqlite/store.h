// The embedded store: SQLite in one file, one writer that gathers changes into commits, any number of readers beside it
// (WAL). Webhook secrets are encrypted with a key that is kept beside the database, not in it.
//
// Threads: as hub/store.h says.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "hub/clock.h"
#include "hub/rules.h"
#include "hub/store.h"
#include "storage/sqlite/schema.h"
#include "storage/sqlite/secrets_at_rest.h"

namespace carillon::storage::sqlite {

struct StoreOptions {
  std::string path;
  std::size_t queue_max = 65'536;  ///< changes that may wait for a commit
  std::size_t batch_max = 1'000;   ///< changes in one commit
  SecretsAtRest secrets = SecretsAtRest::encrypted;
  /// With the key that secrets are encrypted with; made where there is none and nothing is encrypted yet. Empty:
  /// webhook-secrets.key beside the database.
  std::string secret_key_file;
  /// Deliveries that ended are kept so long from when they were written; 0: for ever.
  hub::UnixMs keep_deliveries_ms = 30LL * 24 * 60 * 60 * 1'000;
  /// Jobs are kept so long from when they became final, with all that is of them; 0: for ever.
  hub::UnixMs keep_jobs_ms = 90LL * 24 * 60 * 60 * 1'000;
  /// Events are kept so long, and no longer than jobs; 0: for ever. Those that are still needed stay longer.
  hub::UnixMs keep_events_ms = 30LL * 24 * 60 * 60 * 1'000;
  /// For so long a submission that comes again under its idempotency key is known.
  hub::UnixMs keep_idempotency_ms = 24LL * 60 * 60 * 1'000;
  std::size_t endpoints_per_key_max = 1'000;  ///< registered ones
  /// Told when a database of an earlier version was brought up to date.
  std::function<void(const Upgrade&)> on_upgrade = {};
};

/// Opens the database, makes or migrates it, and starts the writer. Throws hub::StoreError that names the file. `rules`
/// and `clock` must outlive the store.
std::unique_ptr<hub::Store> open_store(const StoreOptions& options, const hub::Rules& rules, const hub::Clock& clock);

}  // namespace carillon::storage::sqlite
