#include "storage/sqlite/job_changes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "hub/not_found.h"

namespace carillon::storage::sqlite {

JobChanges::JobChanges(sqlite3* handle, const hub::Rules& rules, const With& with)
    : rules_(rules),
      with_(with),
      find_client_(handle, "SELECT account FROM api_keys WHERE id = ? AND role = 0 AND hash IS NOT NULL"),
      find_job_(handle, select(job_columns, job_by_id)),
      find_id_(handle,
               "SELECT EXISTS (SELECT 1 FROM job_states AS s WHERE s.n = j.n) FROM jobs AS j WHERE j.id = ?1 "
               "UNION ALL SELECT 0 FROM job_ids_gone WHERE id = ?1"),
      insert_job_(handle,
                  "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook, hook_events, metadata) "
                  "VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_state_(handle, "INSERT INTO job_states (n, status, seq, updated_at, progress) VALUES (?, ?, ?, ?, 0)"),
      update_state_(handle, "UPDATE job_states SET status = ?2, seq = ?3, updated_at = ?4, progress = ?5 WHERE n = ?1"),
      update_outcome_(handle, "UPDATE jobs SET error = ?2, result = ?3 WHERE n = ?1"),
      erase_job_(handle,
                 "UPDATE jobs SET hook = NULL, hook_events = 0, metadata = NULL, error = NULL, result = NULL "
                 "WHERE n = ?"),
      erase_state_(handle, "DELETE FROM job_states WHERE n = ?") {}

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
  if (auto detail = taken(submission.job); !detail.empty()) return {hub::Refusal::already_exists, std::move(detail)};

  if (submission.hook) {
    row.hook = with_.endpoints.for_hook(context, job.owner, *submission.hook);
    row.hook_events = submission.hook->events;
  }
  job.id = submission.job;
  job.metadata = submission.metadata;
  job.created_at = job.updated_at = context.now_ms;
  job.seq = context.next_seq();
  row.n = with_.numbers.next();
  insert_job_
      .bind(row.n, job.id, job.owner.key, job.owner.account, job.created_at, row.hook,
            std::int64_t{row.hook_events.bits}, job.metadata)
      .run();
  insert_state_.bind(row.n, job.status, job.seq, job.updated_at).run();
  write_event(context, row, hub::EventKind::queued, 0, nullptr, submission.trace);
  return recent_.put(std::move(row)).job;
}

hub::Outcome<hub::Submitted> JobChanges::submit_once(WriteContext& context, const hub::Submission& submission,
                                                     const hub::IdempotencyKey& key) {
  if (auto earlier = with_.keys.find(context.now_ms, submission.by.key, key.text)) {
    if (earlier->body == key.body) return hub::Submitted{std::move(earlier->job), true};
    return {hub::Refusal::key_reused,
            "This Idempotency-Key came with another body before; a new request needs a new one."};
  }
  auto outcome = submit(context, submission);
  if (!outcome) return {outcome.refusal(), outcome.detail()};
  with_.keys.keep(submission.by.key, key, *outcome);
  return hub::Submitted{std::move(*outcome), false};
}

std::string JobChanges::taken(const hub::JobId& id) {
  if (recent_.find(id) == nullptr) {
    find_id_.bind(id);
    if (!find_id_.step()) return {};
    const bool exists = find_id_.integer(0) != 0;
    find_id_.reset();
    if (!exists) return "The job with this id is gone; its id is not given again: " + id.text();
  }
  return "There is a job with this id already: " + id.text();
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
  const auto outcome = apply(context, report);
  if (!outcome) return {outcome.refusal(), outcome.detail()};
  return **outcome;
}

hub::Outcome<hub::ReportOutcomes> JobChanges::report_all(WriteContext& context,
                                                         const std::vector<hub::Report>& reports) {
  hub::ReportOutcomes outcomes;
  outcomes.reserve(reports.size());
  for (const hub::Report& report : reports) {
    const auto outcome = apply(context, report);
    if (outcome) {
      outcomes.emplace_back((*outcome)->seq);
    } else {
      outcomes.emplace_back(outcome.refusal(), outcome.detail());
    }
  }
  return outcomes;
}

hub::Outcome<hub::Done> JobChanges::erase(WriteContext& context, const hub::Principal& by, const hub::JobId& id) {
  const JobRow* const row = find(id);
  if (row == nullptr || !rules_.ownership().may_erase(by, row->job.owner)) {
    return {hub::Refusal::not_found, hub::no_such_job(id.text())};
  }
  if (!is_final(row->job.status)) {
    return {hub::Refusal::not_final, "Only a job that has succeeded or failed can be erased; this one is " +
                                         std::string(to_text(row->job.status)) + "."};
  }
  erase_job_.bind(row->n).run();
  erase_state_.bind(row->n).run();
  with_.erasures.begin(row->n, row->job.seq);
  with_.kept.erase_progress(row->n);  // which is not reached from the last event, where some between are gone
  with_.kept.settle(row->n);
  context.batch.jobs_erased.push_back(id);
  return hub::Done{};
}

hub::Outcome<const hub::Job*> JobChanges::apply(WriteContext& context, const hub::Report& report) {
  JobRow* row = find(report.job);
  const hub::Verdict verdict = rules_.judge(report, row != nullptr ? &row->job : nullptr);
  if (verdict.refusal) return {*verdict.refusal, verdict.detail};
  hub::Job& job = row->job;
  if (!verdict.event) return &job;

  job.status = report.status.value_or(job.status);
  const hub::Seq previous = std::exchange(job.seq, context.next_seq());
  const bool was_kept = with_.kept.passed(previous) || with_.kept.passed(row->progress_seq);
  job.updated_at = std::max(job.updated_at, context.now_ms);  // the clock may have been set back
  if (is_final(job.status)) {
    job.result = report.result;
    job.error = report.error;
    if (job.result || job.error) update_outcome_.bind(row->n, job.error, job.result).run();
  } else if (report.progress) {
    job.progress = report.progress;
    row->progress_seq = job.seq;
  }
  update_state_.bind(row->n, job.status, job.seq, job.updated_at, row->progress_seq).run();
  if (was_kept) with_.kept.settle(row->n);
  write_event(context, *row, *verdict.event, previous, report.progress, report.trace);
  if (!is_final(job.status)) return &job;
  if (auto kept = recent_.take(report.job)) found_ = std::move(*kept);
  return &found_.job;
}

void JobChanges::write_event(WriteContext& context, const JobRow& row, hub::EventKind kind, hub::Seq previous,
                             const hub::Text& progress, const hub::Text& trace) {
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
  event->trace = trace;
  with_.log.append(*event, row.n, previous);
  context.batch.events.push_back(std::move(event));
  with_.deliveries.owe(context, context.batch.events.back(), row);
}

}  // namespace carillon::storage::sqlite
