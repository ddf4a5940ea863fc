#include "storage/sqlite/job_changes.h"

#include <memory>
#include <utility>

namespace carillon::storage::sqlite {

JobChanges::JobChanges(sqlite3* handle, const hub::Rules& rules, DeliveryChanges& deliveries,
                       EndpointChanges& endpoints, EventLog& log)
    : rules_(rules),
      deliveries_(deliveries),
      endpoints_(endpoints),
      log_(log),
      find_client_(handle, "SELECT account FROM api_keys WHERE id = ? AND role = 0 AND hash IS NOT NULL"),
      find_job_(handle, select(job_columns, job_by_id)),
      insert_job_(handle,
                  "INSERT INTO jobs (id, owner_key, owner_account, created_at, hook, hook_events, metadata) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING n"),
      insert_state_(handle, "INSERT INTO job_states (n, status, seq, updated_at, progress) VALUES (?, ?, ?, ?, 0)"),
      update_state_(handle, "UPDATE job_states SET status = ?2, seq = ?3, updated_at = ?4, progress = ?5 WHERE n = ?1"),
      update_outcome_(handle, "UPDATE jobs SET error = ?2, result = ?3 WHERE n = ?1") {}

std::optional<hub::AccountId> JobChanges::account_of_client(hub::KeyId key) {
  find_client_.bind(key);
  if (!find_client_.step()) return std::nullopt;
  const hub::AccountId account{find_client_.integer(0)};
  find_client_.reset();
  return account;
}

hub::Outcome<hub::Job> JobChanges::submit(WriteContext& context, const hub::Submission& submission) {
  JobRow row;
  hub::Job& job = row.job;
  job.owner = {submission.by.key, submission.by.account};
  if (submission.owner && *submission.owner != submission.by.key) {
    const auto account = submission.by.role == hub::Role::worker ? account_of_client(*submission.owner) : std::nullopt;
    if (!account)
      return {hub::Refusal::unknown_owner, "The owner is not the id of a client key: " + to_text(*submission.owner)};
    job.owner = {*submission.owner, *account};
  }
  if (find(submission.job) != nullptr)
    return {hub::Refusal::already_exists, "There is a job with this id already: " + submission.job.text()};

  if (submission.hook) {
    row.hook = endpoints_.for_hook(context, job.owner, *submission.hook);
    row.hook_events = submission.hook->events;
  }
  job.id = submission.job;
  job.metadata = submission.metadata;
  job.created_at = job.updated_at = context.now_ms;
  job.seq = context.next_seq();
  insert_job_.bind(job.id, job.owner.key, job.owner.account, job.created_at, row.hook,
                   std::int64_t{row.hook_events.bits}, job.metadata);
  insert_job_.step();
  row.n = insert_job_.integer(0);
  insert_job_.reset();
  insert_state_.bind(row.n, job.status, job.seq, job.updated_at).run();
  write_event(context, row, hub::EventKind::queued, 0, nullptr);
  return recent_.put(std::move(row)).job;
}

JobRow* JobChanges::find(const hub::JobId& id) {
  if (JobRow* row = recent_.find(id)) return row;
  find_job_.bind(id);
  if (!find_job_.step()) return nullptr;
  found_ = read_job(find_job_);
  find_job_.reset();
  return is_final(found_.job.status) ? &found_ : &recent_.put(std::move(found_));
}

hub::Outcome<hub::Job> JobChanges::report(WriteContext& context, const hub::Report& report) {
  JobRow* const row = find(report.job);
  const hub::Verdict verdict = rules_.judge(report, row != nullptr ? &row->job : nullptr);
  if (verdict.refusal) return {*verdict.refusal, verdict.detail};
  hub::Job& job = row->job;
  if (!verdict.event) return job;

  job.status = report.status.value_or(job.status);
  const hub::Seq previous = std::exchange(job.seq, context.next_seq());
  job.updated_at = context.now_ms;
  if (is_final(job.status)) {
    job.result = report.result;
    job.error = report.error;
    if (job.result || job.error) update_outcome_.bind(row->n, job.error, job.result).run();
  } else if (report.progress) {
    job.progress = report.progress;
    row->progress_seq = job.seq;
  }
  update_state_.bind(row->n, job.status, job.seq, job.updated_at, row->progress_seq).run();
  write_event(context, *row, *verdict.event, previous, report.progress);
  hub::Job told = job;
  if (is_final(told.status)) recent_.drop(told.id);
  return told;
}

void JobChanges::write_event(WriteContext& context, const JobRow& row, hub::EventKind kind, hub::Seq previous,
                             const hub::Text& progress) {
  const hub::Job& job = row.job;
  auto event = std::make_shared<hub::Event>();
  event->seq = job.seq;
  event->job = job.id;
  event->owner = job.owner;
  event->kind = kind;
  event->status = job.status;
  event->at = job.updated_at;
  event->result = job.result;
  event->error = job.error;
  event->progress = progress;
  log_.append(*event, row.n, previous);
  context.batch.events.push_back(std::move(event));
  deliveries_.owe(context, context.batch.events.back(), row);
}

}  // namespace carillon::storage::sqlite
