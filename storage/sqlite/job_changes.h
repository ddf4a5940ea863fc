// Jobs: submitted, reported on and erased. Here a change becomes an event: the job's new state, the event's row and the
// deliveries it owes are written together, or not at all.
//
// Threads: the committer's.
#pragma once

#include "hub/rules.h"
#include "hub/store.h"
#include "storage/sqlite/delivery_changes.h"
#include "storage/sqlite/endpoint_changes.h"
#include "storage/sqlite/erasures.h"
#include "storage/sqlite/event_log.h"
#include "storage/sqlite/given_numbers.h"
#include "storage/sqlite/idempotency_keys.h"
#include "storage/sqlite/kept_events.h"
#include "storage/sqlite/recent_jobs.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class JobChanges {
 public:
  /// What a change of a job concerns besides.
  struct With {
    DeliveryChanges& deliveries;
    EndpointChanges& endpoints;
    EventLog& log;
    KeptEvents& kept;
    IdempotencyKeys& keys;
    Erasures& erasures;
    GivenNumbers& numbers;
  };
  JobChanges(sqlite3* handle, const hub::Rules& rules, const With& with);

  hub::Outcome<hub::Job> submit(WriteContext& context, const hub::Submission& submission);
  hub::Outcome<hub::Submitted> submit_once(WriteContext& context, const hub::Submission& submission,
                                           const hub::IdempotencyKey& key);
  hub::Outcome<hub::Job> report(WriteContext& context, const hub::Report& report);
  hub::Outcome<hub::ReportOutcomes> report_all(WriteContext& context, const std::vector<hub::Report>& reports);
  hub::Outcome<hub::Done> erase(WriteContext& context, const hub::Principal& by, const hub::JobId& id);

  /// What was changed since the last commit is undone: nothing that is kept in memory holds any more.
  void forget_recent() { recent_.clear(); }

 private:
  /// The job's row, from memory or the database; null when there is none. It stays until the next call.
  JobRow* find(const hub::JobId& id);
  /// Does what a report says. The job, as it stands then, stays until the next call.
  hub::Outcome<const hub::Job*> apply(WriteContext& context, const hub::Report& report);
  /// Why a job cannot be given this id; empty where it can.
  std::string taken(const hub::JobId& id);
  /// The account of the client key of that id.
  std::optional<hub::AccountId> account_of_client(hub::KeyId key);
  /// Writes the event of the job's present state, and what it owes. `previous` is the job's event before it, 0 for the
  /// first.
  void write_event(WriteContext& context, const JobRow& row, hub::EventKind kind, hub::Seq previous,
                   const hub::Text& progress, const hub::Text& trace);

  const hub::Rules& rules_;
  With with_;
  RecentJobs recent_;
  JobRow found_;  ///< one that is final: not worth keeping
  Statement find_client_;
  Statement find_job_;
  Statement find_id_;
  Statement insert_job_;
  Statement insert_state_;
  Statement update_state_;
  Statement update_outcome_;
  Statement erase_job_;
  Statement erase_state_;
};

}  // namespace carillon::storage::sqlite
