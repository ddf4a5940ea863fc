#include "storage/sqlite/retention.h"

#include <algorithm>
#include <vector>

#include "hub/job.h"
#include "storage/sqlite/event_log.h"

namespace carillon::storage::sqlite {
namespace {

constexpr hub::UnixMs look_interval_ms = 5'000;
/// What was not final, or not old, when it was looked at is looked at again after a tenth of its time, or after this.
constexpr hub::UnixMs round_max_ms = 600'000;
/// A result of megabytes takes as long to free as hundreds of rows: so rows alone do not bound a slice.
constexpr std::chrono::milliseconds slice_time{2};
/// A job lies on pages of its own in three tables and three indexes, where events that follow one another share theirs.
constexpr std::size_t rows_per_job = 16;
constexpr std::size_t jobs_at_once = 64;
constexpr std::size_t events_at_once = 500;

void take(std::size_t rows, std::size_t& rows_left) { rows_left -= std::min(rows, rows_left); }

/// Events no longer than jobs.
Retention::Times settled(Retention::Times times) {
  if (times.jobs_ms != 0 && (times.events_ms == 0 || times.events_ms > times.jobs_ms)) times.events_ms = times.jobs_ms;
  return times;
}

}  // namespace

struct Retention::OldJob {
  std::int64_t n;
  hub::JobStatus status;
  hub::Seq seq;
  hub::UnixMs updated_at;
};

Retention::Retention(sqlite3* handle, KeptEvents& kept, DeliveryRows& deliveries, GivenNumbers& job_numbers,
                     Times times)
    : kept_(kept),
      deliveries_(deliveries),
      job_numbers_(job_numbers),
      times_(settled(times)),
      next_events_(handle, "SELECT seq, job, at FROM events WHERE seq > ? ORDER BY seq LIMIT ?"),
      remove_spans_(handle,
                    "DELETE FROM owner_spans WHERE (block, owner_account, owner_key, span) IN "
                    "(SELECT block, owner_account, owner_key, span FROM owner_spans WHERE block < ? LIMIT ?)"),
      next_jobs_(handle, "SELECT n, status, seq, updated_at FROM job_states WHERE n > ? ORDER BY n LIMIT ?"),
      submitted_at_(handle, "SELECT created_at FROM jobs WHERE n = ?"),
      is_owed_for_(handle,
                   "SELECT 1 FROM kept_events AS k JOIN deliveries AS d INDEXED BY deliveries_by_event "
                   "ON d.event = k.seq WHERE k.job = ? AND d.state = 0 LIMIT 1"),
      deliveries_of_(handle,
                     "SELECT d.id, d.attempts FROM kept_events AS k JOIN deliveries AS d INDEXED BY "
                     "deliveries_by_event ON d.event = k.seq WHERE k.job = ? LIMIT ?"),
      keep_id_(handle, "INSERT OR IGNORE INTO job_ids_gone (id) SELECT id FROM jobs WHERE n = ?"),
      remove_state_(handle, "DELETE FROM job_states WHERE n = ?"),
      remove_job_(handle, "DELETE FROM jobs WHERE n = ?") {}

bool Retention::Look::is_due(hub::UnixMs now_ms) const {
  return !ended || now_ms - at_ms >= look_interval_ms || now_ms < at_ms;
}

bool Retention::waits(hub::UnixMs now_ms) const {
  return (times_.events_ms != 0 && events_.is_due(now_ms)) || (times_.jobs_ms != 0 && jobs_.is_due(now_ms));
}

void Retention::rolled_back() {
  events_ = jobs_ = {};
  looked_at_ = 0;
}

void Retention::slice(WriteContext& context, std::size_t& rows_left) {
  const Deadline until = std::chrono::steady_clock::now() + slice_time;
  if (times_.events_ms != 0 && events_.is_due(context.now_ms)) pass_events(context.now_ms, rows_left, until);
  // Behind the events: a job waits for the line to pass its last one.
  if (times_.jobs_ms != 0 && jobs_.is_due(context.now_ms) && rows_left > 0) remove_jobs(context, rows_left, until);
}

void Retention::pass_events(hub::UnixMs now_ms, std::size_t& rows_left, Deadline until) {
  struct Event {
    hub::Seq seq;
    std::int64_t job;
  };
  events_ = {};
  const std::size_t rows_max = std::min(rows_left, events_at_once);
  std::vector<Event> old;
  next_events_.bind(kept_.line(), static_cast<std::int64_t>(rows_max));
  while (next_events_.step() && next_events_.integer(2) < now_ms - times_.events_ms) {
    old.push_back({next_events_.integer(0), next_events_.integer(1)});
  }
  next_events_.reset();
  std::size_t passed = 0;
  while (passed < old.size() && std::chrono::steady_clock::now() < until) {
    kept_.pass(old[passed].seq, old[passed].job);
    ++passed;
  }
  take(passed, rows_left);
  if (passed > 0) kept_.write_line();
  if (passed < old.size() || old.size() == rows_max) return;  // there may be more
  remove_spans(rows_left);
  if (rows_left == 0) return;
  events_ = {true, now_ms};
}

void Retention::remove_spans(std::size_t& rows_left) {
  const hub::Seq block = (kept_.line() + 1) >> block_bits;
  take(static_cast<std::size_t>(remove_spans_.bind(block, static_cast<std::int64_t>(rows_left)).run()), rows_left);
}

void Retention::remove_jobs(WriteContext& context, std::size_t& rows_left, Deadline until) {
  const hub::UnixMs round_ms = std::min(times_.jobs_ms / 10, round_max_ms);
  const hub::UnixMs now = context.now_ms;
  if (jobs_.ended && (now - began_at_ms_ >= round_ms || now < began_at_ms_)) looked_at_ = 0;
  if (looked_at_ == 0) began_at_ms_ = now;
  jobs_ = {};
  const hub::UnixMs old_before = now - times_.jobs_ms;
  std::vector<OldJob> jobs;
  for (next_jobs_.bind(looked_at_, static_cast<std::int64_t>(jobs_at_once)); next_jobs_.step();) {
    jobs.push_back({next_jobs_.integer(0), static_cast<hub::JobStatus>(next_jobs_.integer(1)), next_jobs_.integer(2),
                    next_jobs_.integer(3)});
  }
  for (const OldJob& job : jobs) {
    if (rows_left == 0 || std::chrono::steady_clock::now() >= until) return;
    if (is_final(job.status) && job.updated_at < old_before) {
      if (kept_.passed(job.seq) && !is_owed_for(job.n) && !remove(context, job, rows_left)) return;
    } else if (is_young(job.n, old_before)) {
      jobs_ = {true, now};
      return;
    }
    take(1, rows_left);
    looked_at_ = job.n;
  }
  if (jobs.size() < jobs_at_once) jobs_ = {true, now};
}

bool Retention::remove(WriteContext& context, const OldJob& job, std::size_t& rows_left) {
  struct Delivery {
    hub::DeliveryId id;
    std::size_t rows;
  };
  std::vector<Delivery> deliveries;
  for (deliveries_of_.bind(job.n, static_cast<std::int64_t>(rows_left)); deliveries_of_.step();) {
    deliveries.push_back({{deliveries_of_.integer(0)}, 1 + static_cast<std::size_t>(deliveries_of_.integer(1))});
  }
  for (const Delivery& delivery : deliveries) {
    if (rows_left == 0) return false;
    deliveries_.erase(context, delivery.id, false);
    take(delivery.rows, rows_left);
  }
  if (rows_left == 0) return false;
  remove_state_.bind(job.n).run();
  kept_.settle(job.n);
  keep_id_.bind(job.n).run();
  job_numbers_.erasing(job.n);
  remove_job_.bind(job.n).run();
  context.batch.jobs_gone = true;
  take(rows_per_job, rows_left);
  return true;
}

bool Retention::is_owed_for(std::int64_t job) {
  is_owed_for_.bind(job);
  const bool owed = is_owed_for_.step();
  is_owed_for_.reset();
  return owed;
}

bool Retention::is_young(std::int64_t job, hub::UnixMs submitted_before) {
  submitted_at_.bind(job);
  const bool young = submitted_at_.step() && submitted_at_.integer(0) >= submitted_before;
  submitted_at_.reset();
  return young;
}

}  // namespace carillon::storage::sqlite
