#include "storage/sqlite/event_log.h"

#include <algorithm>

namespace carillon::storage::sqlite {

EventLog::EventLog(sqlite3* handle)
    : insert_event_(handle,
                    "INSERT INTO events (seq, job, kind, status, at, previous, owner_account, owner_key, progress) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_span_(handle,
                   "INSERT OR IGNORE INTO owner_spans (block, owner_account, owner_key, span) VALUES (?, ?, ?, ?)") {}

void EventLog::append(const hub::Event& event, std::int64_t job, hub::Seq previous) {
  insert_event_
      .bind(event.seq, job, event.kind, event.status, event.at, previous, event.owner.account, event.owner.key,
            event.progress)
      .run();
  note_owner(event.seq, event.owner);
}

void EventLog::note_owner(hub::Seq seq, const hub::JobOwner& owner) {
  if (const hub::Seq span = seq >> span_bits; span != span_) {
    span_ = span;
    owners_.clear();
  }
  // At most 64, most often few: walked through faster than hashed.
  if (std::find(owners_.begin(), owners_.end(), owner.key) != owners_.end()) return;
  insert_span_.bind(seq >> block_bits, owner.account, owner.key, seq >> span_bits).run();
  owners_.push_back(owner.key);
}

}  // namespace carillon::storage::sqlite
