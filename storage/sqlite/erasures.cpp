#include "storage/sqlite/erasures.h"

#include <utility>

namespace carillon::storage::sqlite {

Erasures::Erasures(sqlite3* handle)
    : keep_(handle, "INSERT OR REPLACE INTO erasures (job, seq) VALUES (?, ?)"),
      next_(handle, "SELECT job, seq FROM erasures LIMIT 1"),
      done_(handle, "DELETE FROM erasures WHERE job = ?"),
      previous_(handle, "SELECT previous, progress IS NOT NULL FROM events WHERE seq = ?"),
      erase_progress_(handle, "UPDATE events SET progress = NULL WHERE seq = ?") {}

void Erasures::begin(std::int64_t job, hub::Seq last) {
  std::size_t rows_left = rows_at_once;
  const hub::Seq rest = erase_some(last, rows_left);
  if (rest == 0) return;
  keep_.bind(job, rest).run();
  may_have_some_ = true;
  found_none_ = false;
}

void Erasures::slice(std::size_t& rows_left) {
  found_none_ = false;
  while (may_have_some_ && rows_left > 0) {
    next_.bind();
    found_none_ = !next_.step();
    if (found_none_) return;
    const std::int64_t job = next_.integer(0);
    const hub::Seq from = next_.integer(1);
    next_.reset();
    const hub::Seq rest = erase_some(from, rows_left);
    rest == 0 ? done_.bind(job).run() : keep_.bind(job, rest).run();
  }
}

void Erasures::committed() {
  if (std::exchange(found_none_, false)) may_have_some_ = false;
}

void Erasures::rolled_back() {
  may_have_some_ = true;
  found_none_ = false;
}

hub::Seq Erasures::erase_some(hub::Seq from, std::size_t& rows_left) {
  hub::Seq seq = from;
  for (; seq != 0 && rows_left > 0; --rows_left) {
    previous_.bind(seq);
    if (!previous_.step()) return 0;  // no longer kept, and so none before it
    const hub::Seq before = previous_.integer(0);
    const bool has_progress = previous_.integer(1) != 0;
    previous_.reset();
    if (has_progress) erase_progress_.bind(seq).run();
    seq = before;
  }
  return seq;
}

}  // namespace carillon::storage::sqlite
