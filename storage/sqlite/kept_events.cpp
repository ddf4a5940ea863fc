#include "storage/sqlite/kept_events.h"

#include <string>

namespace carillon::storage::sqlite {

KeptEvents::KeptEvents(sqlite3* handle)
    : write_line_(handle, "UPDATE meta SET value = ? WHERE name = 'events_gone_to'"),
      remove_unneeded_(handle,
                       "DELETE FROM events WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM job_states AS s WHERE "
                       "s.n = events.job AND (s.progress = ?1 OR (s.seq = ?1 AND s.status < 2))) AND "
                       "NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.event = ?1)"),
      remove_data_(handle, "DELETE FROM owner_events WHERE seq = ?"),
      keep_(handle, "INSERT OR IGNORE INTO kept_events (job, seq) VALUES (?, ?)"),
      forget_(handle, "DELETE FROM kept_events WHERE job = ? AND seq = ?"),
      of_job_(handle, "SELECT seq FROM kept_events WHERE job = ? ORDER BY seq"),
      job_of_(handle, "SELECT job FROM events WHERE seq = ?"),
      erase_progress_(handle,
                      "UPDATE events SET progress = NULL WHERE progress IS NOT NULL AND seq IN "
                      "(SELECT seq FROM kept_events WHERE job = ?)") {
  Statement line(handle, "SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'events_gone_to'");
  if (line.step()) line_ = line_on_disk_ = line.integer(0);
}

bool KeptEvents::remove_unneeded(hub::Seq seq, std::int64_t job) {
  if (remove_unneeded_.bind(seq).run() == 0) return false;
  if (job == 0) remove_data_.bind(seq).run();
  return true;
}

void KeptEvents::pass(hub::Seq seq, std::int64_t job) {
  if (!remove_unneeded(seq, job)) keep_.bind(job, seq).run();
  line_ = seq;
}

void KeptEvents::write_line() {
  const std::string line = std::to_string(line_);
  write_line_.bind(line).run();
}

void KeptEvents::settle(std::int64_t job) {
  std::vector<hub::Seq> seqs;
  for (of_job_.bind(job); of_job_.step();) seqs.push_back(of_job_.integer(0));
  for (const hub::Seq seq : seqs) {
    if (remove_unneeded(seq, job)) forget_.bind(job, seq).run();
  }
}

void KeptEvents::settle_event(hub::Seq seq) {
  if (!passed(seq)) return;
  job_of_.bind(seq);
  if (!job_of_.step()) return;
  const std::int64_t job = job_of_.integer(0);
  job_of_.reset();
  if (remove_unneeded(seq, job)) forget_.bind(job, seq).run();
}

void KeptEvents::erase_progress(std::int64_t job) {
  if (line_ > 0) erase_progress_.bind(job).run();
}

}  // namespace carillon::storage::sqlite
