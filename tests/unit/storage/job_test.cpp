#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;
using hub::Refusal;

TEST_F(StoreTest, AJobGoesItsWayAndEveryStepIsAnEvent) {
  open();
  const auto client = principal(make_key("acme"));
  const auto worker = principal(make_key("acme", hub::Role::worker));
  const hub::Job job = submit(client);
  EXPECT_EQ(job.status, JobStatus::queued);
  EXPECT_EQ(job.seq, 1);

  clock_.now += 1'000;
  ASSERT_TRUE(report({worker, job.id, JobStatus::running, {}, {}, hub::make_text("{\"at\":1}")}));
  ASSERT_TRUE(report({worker, job.id, {}, {}, {}, hub::make_text("{\"at\":2}")}));
  ASSERT_TRUE(report({worker, job.id, JobStatus::succeeded, hub::make_text("[1, 2]"), {}, {}}));

  const auto found = reader_->find_job(job.id);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, JobStatus::succeeded);
  EXPECT_EQ(*found->result, "[1, 2]");
  EXPECT_EQ(*found->progress, "{\"at\":2}");
  EXPECT_EQ(found->seq, 4);
  EXPECT_EQ(found->created_at, 1'700'000'000'000);
  EXPECT_EQ(found->updated_at, 1'700'000'001'000);

  std::vector<hub::EventKind> kinds;
  for (const auto& batch : home_.batches()) {
    for (const auto& event : batch->events) kinds.push_back(event->kind);
  }
  using enum hub::EventKind;
  EXPECT_EQ(kinds, (std::vector<hub::EventKind>{queued, running, progress, succeeded}));
}

TEST_F(StoreTest, AJobsTimesNeverRunBackwards) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::Job job = submit(client);
  clock_.now -= 3'600'000;  // someone has set the clock
  ASSERT_TRUE(report({client, job.id, JobStatus::running, {}, {}, {}}));
  EXPECT_EQ(reader_->find_job(job.id)->updated_at, job.created_at);
  EXPECT_EQ(submit(client).created_at, job.created_at - 3'600'000) << "another job is not held to it";
  clock_.now += 3'600'001;
  ASSERT_TRUE(report({client, job.id, JobStatus::failed, {}, {}, {}}));
  EXPECT_EQ(reader_->find_job(job.id)->updated_at, job.created_at + 1);
}

TEST_F(StoreTest, WhatTheRulesForbidChangesNothing) {
  open();
  const auto client = principal(make_key("acme"));
  const auto other = principal(make_key("other"));
  const hub::Job job = submit(client);
  EXPECT_EQ(report(client, job.id, JobStatus::succeeded).refusal(), Refusal::bad_transition);
  EXPECT_EQ(report(other, job.id, JobStatus::running).refusal(), Refusal::not_found);
  EXPECT_EQ(report(client, hub::JobId::random(), JobStatus::running).refusal(), Refusal::not_found);
  EXPECT_EQ(report({client, job.id, {}, {}, {}, hub::make_text("1")}).refusal(), Refusal::not_running);
  EXPECT_EQ(reader_->find_job(job.id)->seq, job.seq);
  EXPECT_EQ(reader_->last_seq(), job.seq);
}

TEST_F(StoreTest, TheSameStatusAgainIsNoEvent) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::Job job = submit(client);
  EXPECT_EQ(report(client, job.id, JobStatus::running)->seq, 2);
  EXPECT_EQ(report(client, job.id, JobStatus::running)->seq, 2);
  EXPECT_EQ(reader_->last_seq(), 2);
}

TEST_F(StoreTest, AnIdIsTakenOnce) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::Job job = submit(client);
  EXPECT_EQ(submit({client, job.id, {}, {}, {}}).refusal(), Refusal::already_exists);
}

TEST_F(StoreTest, AWorkerSubmitsForAClientKeyOnly) {
  open();
  const hub::Key client = make_key("acme");
  const hub::Key worker = make_key("platform", hub::Role::worker);
  const auto job = submit({principal(worker), hub::JobId::random(), client.id, {}, {}});
  ASSERT_TRUE(job);
  EXPECT_EQ(job->owner.key, client.id);
  EXPECT_EQ(job->owner.account, client.account);
  const hub::Key admin = make_key("platform", hub::Role::admin);
  EXPECT_EQ(submit({principal(worker), hub::JobId::random(), admin.id, {}, {}}).refusal(), Refusal::unknown_owner);
  EXPECT_EQ(submit({principal(worker), hub::JobId::random(), hub::KeyId{42}, {}, {}}).refusal(),
            Refusal::unknown_owner);
  EXPECT_EQ(submit({principal(client), hub::JobId::random(), worker.id, {}, {}}).refusal(), Refusal::unknown_owner);
}

TEST_F(StoreTest, NumbersGoOnWhereTheyWereAfterARestart) {
  open();
  const auto client = principal(make_key("acme"));
  submit(client);
  const hub::Job last = submit(client);
  const std::string epoch = reader_->epoch();
  close();
  open();
  EXPECT_EQ(submit(client).seq, last.seq + 1);
  EXPECT_EQ(reader_->epoch(), epoch);
  EXPECT_FALSE(epoch.empty());
}

TEST_F(StoreTest, WhatIsQueuedIsCommittedBeforeTheStoreEnds) {
  open();
  const auto client = principal(make_key("acme"));
  std::vector<hub::JobId> jobs;
  for (int i = 0; i < 500; ++i) {
    jobs.push_back(hub::JobId::random());
    store_->submit({client, jobs.back(), {}, {}, {}}, home_, [](const hub::Outcome<hub::Job>&) {});
  }
  close();
  open();
  for (const auto& job : jobs) EXPECT_TRUE(reader_->find_job(job)) << job.text();
}

}  // namespace
}  // namespace carillon::storage::sqlite
