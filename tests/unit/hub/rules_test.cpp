#include "hub/rules.h"

#include <gtest/gtest.h>

namespace carillon::hub {
namespace {

constexpr JobOwner owner{{1}, {10}};
constexpr Principal owning_client{{1}, {10}, Role::client};
constexpr Principal same_account{{2}, {10}, Role::client};
constexpr Principal stranger{{3}, {11}, Role::client};
constexpr Principal worker{{4}, {12}, Role::worker};
constexpr Principal admin{{5}, {12}, Role::admin};

Job job_at(JobStatus status) {
  Job job;
  job.owner = owner;
  job.status = status;
  return job;
}

Report report_of(const Principal& by, std::optional<JobStatus> status) {
  Report report;
  report.by = by;
  report.status = status;
  return report;
}

TEST(Rules, EveryStep) {
  using S = JobStatus;
  constexpr S all[] = {S::queued, S::running, S::succeeded, S::failed};
  // f: forward, s: same (accepted, no event), -: refused. Rows from, columns to.
  const char* const table[] = {"sf-f", "-sff", "--s-", "---s"};
  const Rules rules{Ownership(OwnershipScope::key)};
  for (const S from : all) {
    for (const S to : all) {
      const Job job = job_at(from);
      const Verdict verdict = rules.judge(report_of(worker, to), &job);
      const char expected = table[static_cast<int>(from)][static_cast<int>(to)];
      SCOPED_TRACE(std::string(to_text(from)) + " to " + std::string(to_text(to)));
      EXPECT_EQ(verdict.event.has_value(), expected == 'f');
      EXPECT_EQ(verdict.refusal.has_value(), expected == '-');
      if (expected == 'f') {
        EXPECT_EQ(*verdict.event, kind_of(to));
      }
      if (expected == '-') {
        EXPECT_EQ(*verdict.refusal, Refusal::bad_transition);
        EXPECT_NE(verdict.detail.find(to_text(from)), std::string::npos);
      }
    }
  }
}

TEST(Rules, ProgressWhileRunningIsAnEventEachTime) {
  const Rules rules{Ownership(OwnershipScope::key)};
  const Job running = job_at(JobStatus::running);
  for (const auto status : {std::optional<JobStatus>(), std::optional(JobStatus::running)}) {
    Report report = report_of(worker, status);
    report.progress = make_text("{}");
    EXPECT_EQ(rules.judge(report, &running).event, EventKind::progress);
  }
  Report alone = report_of(worker, std::nullopt);
  alone.progress = make_text("{}");
  for (const auto status : {JobStatus::queued, JobStatus::succeeded, JobStatus::failed}) {
    const Job job = job_at(status);
    EXPECT_EQ(rules.judge(alone, &job).refusal, Refusal::not_running);
  }
}

TEST(Rules, WhoMayNotReportIsToldTheSameAsIfThereWereNoJob) {
  const Rules rules{Ownership(OwnershipScope::key)};
  const Job job = job_at(JobStatus::queued);
  const Verdict none = rules.judge(report_of(stranger, JobStatus::running), nullptr);
  for (const Principal& who : {stranger, same_account, admin}) {
    const Verdict verdict = rules.judge(report_of(who, JobStatus::running), &job);
    EXPECT_EQ(verdict.refusal, Refusal::not_found);
    EXPECT_EQ(verdict.detail, none.detail);
  }
  for (const Principal& who : {owning_client, worker}) {
    EXPECT_FALSE(rules.judge(report_of(who, JobStatus::running), &job).refusal);
  }
}

TEST(Ownership, ScopeWidensToTheAccount) {
  const Ownership by_key{OwnershipScope::key};
  const Ownership by_account{OwnershipScope::account};
  EXPECT_TRUE(by_key.may_see(owning_client, owner));
  EXPECT_FALSE(by_key.may_see(same_account, owner));
  EXPECT_TRUE(by_account.may_see(same_account, owner));
  EXPECT_FALSE(by_account.may_see(stranger, owner));
  EXPECT_TRUE(by_key.may_see(worker, owner));
  EXPECT_TRUE(by_key.may_see(admin, owner));
}

}  // namespace
}  // namespace carillon::hub
