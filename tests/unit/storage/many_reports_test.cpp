// Many reports in one change: of one transaction, each judged by itself, in their order.
#include <sqlite3.h>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;
using hub::Refusal;

class ManyReportsTest : public StoreTest {
 protected:
  ManyReportsTest() {
    open();
    client_ = principal(make_key("acme"));
    worker_ = principal(make_key("acme", hub::Role::worker));
  }

  hub::Report to(const hub::JobId& job, JobStatus status) const { return {worker_, job, status, {}, {}, {}}; }

  hub::ReportOutcomes report_all(const std::vector<hub::Report>& reports) {
    return *ask<hub::ReportOutcomes>([&](auto then) { store_->report_all(reports, home_, then); });
  }

  hub::Principal client_;
  hub::Principal worker_;
};

TEST_F(ManyReportsTest, AreOneCommitWithAnOutcomeEachInTheirOrder) {
  const hub::JobId one = submit(client_).id;
  const hub::JobId other = submit(client_).id;
  const std::size_t before = home_.batches().size();
  const auto outcomes = report_all({to(one, JobStatus::running), to(hub::JobId::random(), JobStatus::running),
                                    to(other, JobStatus::succeeded), to(one, JobStatus::succeeded),
                                    to(other, JobStatus::failed), to(one, JobStatus::succeeded)});
  ASSERT_EQ(outcomes.size(), 6U);
  EXPECT_EQ(*outcomes[0], 3);
  EXPECT_EQ(outcomes[1].refusal(), Refusal::not_found);
  EXPECT_EQ(outcomes[2].refusal(), Refusal::bad_transition);
  EXPECT_EQ(*outcomes[3], 4) << "those of one job follow one another";
  EXPECT_EQ(*outcomes[4], 5) << "what was refused before it changes nothing";
  EXPECT_EQ(*outcomes[5], 4) << "the same again is no event";
  const auto batches = home_.batches();
  ASSERT_EQ(batches.size(), before + 1);
  EXPECT_EQ(batches.back()->events.size(), 3U);
  EXPECT_EQ(reader_->find_job(one)->status, JobStatus::succeeded);
  EXPECT_EQ(reader_->find_job(other)->status, JobStatus::failed);
}

TEST_F(ManyReportsTest, AClientsAreJudgedAsItsSingleOnesAre) {
  const hub::JobId own = submit(client_).id;
  const hub::JobId foreign = submit(principal(make_key("other"))).id;
  const auto outcomes =
      report_all({{client_, foreign, JobStatus::running, {}, {}, {}}, {client_, own, JobStatus::running, {}, {}, {}}});
  EXPECT_EQ(outcomes[0].refusal(), Refusal::not_found);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_EQ(reader_->find_job(foreign)->status, JobStatus::queued);
}

TEST_F(ManyReportsTest, WeighWhatTheyHoldInTheQueueAndInACommit) {
  options_.queue_max = 10;
  options_.batch_max = 4;
  open();
  client_ = principal(make_key("acme"));
  const hub::JobId job = submit(client_).id;
  await([&] { return store_->waiting() == 0; });
  const std::vector<hub::Report> three(3, to(job, JobStatus::running));
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  int accepted = 0;
  int overloaded = 0;
  for (int i = 0; i < 5; ++i) {
    store_->report_all(three, home_, [&](const hub::Outcome<hub::ReportOutcomes>& outcome) {
      EXPECT_TRUE(outcome || outcome.refusal() == Refusal::overloaded);
      ++(outcome ? accepted : overloaded);
    });
  }
  EXPECT_EQ(store_->waiting(), 9U);
  const std::uint64_t commits = store_->tallies().commits.read();
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  home_.run_until([&] { return accepted + overloaded == 5; });
  EXPECT_EQ(accepted, 3);
  EXPECT_EQ(store_->tallies().commits.read(), commits + 3) << "two of them are more than one commit holds";
  await([&] { return store_->waiting() == 0; });
}

TEST_F(ManyReportsTest, MoreThanTheQueueHoldsAreTakenWhereNothingElseWaits) {
  options_.queue_max = 10;
  options_.batch_max = 4;
  open();
  const hub::JobId job = submit(client_).id;
  EXPECT_EQ(report_all(std::vector<hub::Report>(50, to(job, JobStatus::running))).size(), 50U);
}

}  // namespace
}  // namespace carillon::storage::sqlite
