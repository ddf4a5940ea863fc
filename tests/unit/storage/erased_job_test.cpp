// A job that is erased: what it held is nowhere to be read any more, its events keep their place.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;
using hub::Refusal;

class ErasedJobTest : public StoreTest {
 protected:
  ErasedJobTest() {
    open();
    client_ = principal(make_key("acme"));
  }

  hub::Outcome<hub::Done> erase(const hub::Principal& by, const hub::JobId& job) {
    return ask<hub::Done>([&](auto then) { store_->erase_job(by, job, home_, then); });
  }
  /// A job with everything a job can have.
  hub::JobId finished(int progress = 1) {
    const hub::JobId job = hub::JobId::random();
    EXPECT_TRUE(submit(hub::Submission{client_, job, {}, hub::make_text(R"({"secret":"metadata"})"), {}}));
    EXPECT_TRUE(report(client_, job, JobStatus::running));
    for (int i = 0; i < progress; ++i) {
      EXPECT_TRUE(report({client_, job, {}, {}, {}, hub::make_text(R"("secret progress")")}));
    }
    EXPECT_TRUE(report({client_, job, JobStatus::succeeded, hub::make_text(R"("secret result")"), {}, {}}));
    return job;
  }

  hub::Principal client_;
};

TEST_F(ErasedJobTest, IsGoneAndGoneAgain) {
  const hub::JobId job = finished();
  ASSERT_TRUE(erase(client_, job));
  EXPECT_FALSE(reader_->find_job(job));
  EXPECT_FALSE(reader_->find_job_since(job, 0, {}));
  EXPECT_EQ(erase(client_, job).refusal(), Refusal::not_found);
  EXPECT_EQ(report(client_, job, JobStatus::succeeded).refusal(), Refusal::not_found);
}

TEST_F(ErasedJobTest, ALongHistoryTellsNothingOfItBeforeItsTurnHasCome) {
  const hub::JobId job = finished(40);
  ASSERT_TRUE(erase(client_, job));
  const auto since = reader_->events_since({client_.key, client_.account}, 0, {});
  ASSERT_EQ(since.missed.events.size(), 43U);
  for (const auto& event : since.missed.events) EXPECT_EQ(event->progress, nullptr);
}

TEST_F(ErasedJobTest, ItsEventsKeepTheirPlaceAndTellNothingOfIt) {
  const hub::JobId job = finished();
  submit(client_);
  ASSERT_TRUE(erase(client_, job));
  const auto since = reader_->events_since({client_.key, client_.account}, 0, {});
  ASSERT_TRUE(since.missed.complete);
  ASSERT_EQ(since.missed.events.size(), 5U);
  for (std::size_t i = 0; i < 4; ++i) {
    const hub::Event& event = *since.missed.events[i];
    EXPECT_EQ(event.seq, static_cast<hub::Seq>(i + 1));
    EXPECT_EQ(event.job, job);
    EXPECT_EQ(event.result, nullptr);
    EXPECT_EQ(event.progress, nullptr);
  }
  EXPECT_EQ(since.missed.events[3]->kind, hub::EventKind::succeeded);
  EXPECT_EQ(count("SELECT count(*) FROM jobs WHERE metadata IS NOT NULL OR result IS NOT NULL OR error IS NOT NULL"),
            0);
  EXPECT_EQ(count("SELECT count(*) FROM events WHERE progress IS NOT NULL"), 0);
}

TEST_F(ErasedJobTest, OnlyWhatIsFinalAndOnlyByItsOwnerOrAnAdmin) {
  const hub::JobId queued = submit(client_).id;
  EXPECT_EQ(erase(client_, queued).refusal(), Refusal::not_final);
  ASSERT_TRUE(report(client_, queued, JobStatus::running));
  EXPECT_EQ(erase(client_, queued).refusal(), Refusal::not_final);

  const hub::JobId job = finished();
  EXPECT_EQ(erase(principal(make_key("acme")), job).refusal(), Refusal::not_found);
  EXPECT_EQ(erase(principal(make_key("acme", hub::Role::worker)), job).refusal(), Refusal::not_found);
  EXPECT_TRUE(reader_->find_job(job));
  EXPECT_TRUE(erase(principal(make_key("acme", hub::Role::admin)), job));
}

TEST_F(ErasedJobTest, OfTheSameAccountWhereOwnershipIsTheAccounts) {
  open(hub::OwnershipScope::account);
  const hub::JobId job = finished();
  EXPECT_EQ(erase(principal(make_key("other")), job).refusal(), Refusal::not_found);
  EXPECT_TRUE(erase(principal(make_key("acme")), job));
}

TEST_F(ErasedJobTest, ItsNumberAndItsIdAreNotGivenAgain) {
  const hub::JobId job = finished();
  ASSERT_TRUE(erase(client_, job));
  const auto other = principal(make_key("other"));
  EXPECT_EQ(submit({other, job, {}, {}, {}}).refusal(), Refusal::already_exists);
  close();
  open();
  EXPECT_EQ(submit({other, job, {}, {}, {}}).refusal(), Refusal::already_exists);
  ASSERT_TRUE(submit({other, hub::JobId::random(), {}, {}, {}}));
  for (const auto& event : reader_->events_since({other.key, other.account}, 0, {}).missed.events)
    EXPECT_GT(event->seq, 4);
}

TEST_F(ErasedJobTest, WhatIsPendingForItGoesOutWithoutAResult) {
  const auto endpoint = make_endpoint(client_, "https://a.example/").id;
  const hub::JobId job = finished();
  ASSERT_EQ(*due(endpoint).at(0).event->result, R"("secret result")");
  ASSERT_TRUE(erase(client_, job));
  const auto left = due(endpoint).at(0);
  EXPECT_EQ(left.event->job, job);
  EXPECT_EQ(left.event->kind, hub::EventKind::succeeded);
  EXPECT_EQ(left.event->result, nullptr);
  EXPECT_EQ(home_.batches().back()->jobs_erased, std::vector{job});
}

TEST_F(ErasedJobTest, ALongHistoryIsErasedInSlicesAndGoesOnAfterARestart) {
  const hub::JobId job = finished(0);
  const hub::JobId other = finished(1);
  close();
  {
    // As if there had been so many reports of progress before the job ended.
    Connection connection(path(), Access::write);
    connection.run(
        "UPDATE events SET seq = 100000 WHERE seq = 3; UPDATE job_states SET seq = 100000 WHERE seq = 3;"
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000) "
        "INSERT INTO events (seq, job, kind, status, at, previous, progress, owner_account, owner_key) SELECT e.seq + "
        "20 + c.n, e.job, 2, 1, "
        "e.at, iif(c.n = 1, e.seq, e.seq + 19 + c.n), "
        "'\"x\"', e.owner_account, e.owner_key FROM events AS e, c WHERE e.seq = 2;"
        "UPDATE events SET previous = 50022 WHERE seq = 100000");
  }
  open();
  const auto left = [&] { return count("SELECT count(*) FROM events WHERE progress IS NOT NULL"); };
  ASSERT_EQ(left(), 50'001);
  ASSERT_TRUE(erase(client_, job));
  close();
  EXPECT_GT(left(), 1) << "the store did not wait for all of it";
  open();
  await([&] { return left() == 1; });
  EXPECT_EQ(*reader_->find_job(other)->progress, R"("secret progress")");
  await([&] { return count("SELECT count(*) FROM erasures") == 0; });
}

}  // namespace
}  // namespace carillon::storage::sqlite
