#include "storage/sqlite/idempotency_keys.h"

#include <algorithm>

namespace carillon::storage::sqlite {
namespace {

constexpr hub::UnixMs look_interval_ms = 5'000;

}  // namespace

IdempotencyKeys::IdempotencyKeys(sqlite3* handle, hub::UnixMs keep_ms)
    : keep_ms_(keep_ms),
      find_(handle,
            "SELECT k.body_hash, k.job, k.seq, k.owner_key, k.owner_account, k.created_at, j.metadata "
            "FROM idempotency_keys AS k LEFT JOIN jobs AS j ON j.id = k.job "
            "WHERE k.api_key = ? AND k.key = ? AND k.created_at > ?"),
      keep_(
          handle,
          "INSERT OR REPLACE INTO idempotency_keys "
          "(api_key, key, body_hash, created_at, job, seq, owner_key, owner_account) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
      erase_old_(handle,
                 "DELETE FROM idempotency_keys WHERE id IN (SELECT id FROM idempotency_keys ORDER BY id LIMIT ?1) "
                 "AND created_at <= ?2") {}

std::optional<IdempotencyKeys::Earlier> IdempotencyKeys::find(hub::UnixMs now_ms, hub::KeyId by,
                                                              const std::string& key) {
  find_.bind(by, key, now_ms - keep_ms_);
  if (!find_.step()) return std::nullopt;
  Earlier earlier;
  const std::string_view hash = find_.blob(0);
  std::copy_n(hash.begin(), std::min(hash.size(), earlier.body.size()), earlier.body.begin());
  earlier.job.id = find_.job_id(1);
  earlier.job.seq = find_.integer(2);
  earlier.job.owner = {{find_.integer(3)}, {find_.integer(4)}};
  earlier.job.created_at = earlier.job.updated_at = find_.integer(5);
  earlier.job.metadata = find_.shared_text(6);
  find_.reset();
  return earlier;
}

void IdempotencyKeys::keep(hub::KeyId by, const hub::IdempotencyKey& key, const hub::Job& job) {
  keep_.bind(by, key.text, key.body, job.created_at, job.id, job.seq, job.owner.key, job.owner.account).run();
}

bool IdempotencyKeys::wait(hub::UnixMs now_ms) const {
  return now_ms - looked_at_ms_ >= look_interval_ms || now_ms < looked_at_ms_;
}

void IdempotencyKeys::erase_old(hub::UnixMs now_ms, std::size_t& rows_left) {
  const auto erased =
      static_cast<std::size_t>(erase_old_.bind(static_cast<std::int64_t>(rows_left), now_ms - keep_ms_).run());
  if (erased < rows_left) looked_at_ms_ = now_ms;
  rows_left -= erased;
}

}  // namespace carillon::storage::sqlite
