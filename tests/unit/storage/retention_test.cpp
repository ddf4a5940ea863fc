// What is old goes, slice by slice: events, and jobs with all that is of them. What is needed elsewhere stays until it
// is not.
#include <sys/resource.h>

#include <algorithm>
#include <csignal>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::DeliveryState;
using hub::JobStatus;

constexpr hub::UnixMs day_ms = 24LL * 60 * 60 * 1'000;
constexpr hub::EventKinds all_events{0x1F};

class RetentionTest : public StoreTest {
 protected:
  RetentionTest() {
    options_.keep_deliveries_ms = 0;
    open();
    client_ = principal(make_key("acme"));
  }

  hub::JobId finished(const std::string& result = "1") {
    const hub::JobId job = submit(client_).id;
    EXPECT_TRUE(report(client_, job, JobStatus::running));
    EXPECT_TRUE(report({client_, job, JobStatus::succeeded, hub::make_text(result), {}, {}}));
    return job;
  }
  /// Many of them, three events each, written while the store is closed.
  void add_finished(int how_many) {
    close();
    {
      Connection connection(path(), Access::write);
      const std::string now = std::to_string(clock_.now_ms());
      connection.run("BEGIN");
      connection.run(
          "CREATE TEMP TABLE was AS SELECT (SELECT coalesce(max(n), 0) FROM jobs) AS n, "
          "(SELECT coalesce(max(seq), 0) FROM events) AS seq");
      connection.run(
          "CREATE TEMP TABLE c AS WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < " +
          std::to_string(how_many) + ") SELECT i FROM c");
      connection.run(
          "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook_events, result) SELECT n + i, "
          "randomblob(16), " +
          std::to_string(client_.key.value) + ", " + std::to_string(client_.account.value) + ", " + now +
          ", 0, '[1]' FROM c, was");
      connection.run("INSERT INTO job_states SELECT n + i, 2, seq + 3 * i, " + now + ", 0 FROM c, was");
      for (int step = 0; step < 3; ++step) {
        const std::string at = std::to_string(step);
        connection.run(
            "INSERT INTO events (seq, job, kind, status, at, previous, owner_account, owner_key) SELECT seq + 3 * "
            "i - 2 + " +
            at + ", n + i, " + std::string(step == 2 ? "3, 2" : at + ", " + at) + ", " + now + ", iif(" + at +
            " = 0, 0, seq + 3 * i - 3 + " + at + "), " + std::to_string(client_.account.value) + ", " +
            std::to_string(client_.key.value) + " FROM c, was");
      }
      connection.run(
          "INSERT OR IGNORE INTO owner_spans (block, owner_account, owner_key, span) SELECT DISTINCT seq >> 12, "
          "owner_account, owner_key, seq >> 6 FROM events");
      connection.run("COMMIT");
    }
    open();
  }
  /// Time passes, and the committer has had its looks.
  void pass(hub::UnixMs time) { clock_.now += time; }
  /// Until it is so; the committer wakes up for a change, and looks again after its interval.
  template <typename Done>
  void look_until(Done done) {
    await([&] {
      if (done()) return true;
      clock_.now += 700'000;
      nudge();
      return done();
    });
  }
  /// The same, where time must not go on.
  template <typename Done>
  void nudge_until(Done done) {
    await([&] {
      nudge();
      return done();
    });
  }
  /// A change that makes no event.
  void nudge() {
    ask<hub::Account>([&](auto then) { store_->create_account("acme", home_, then); });
  }

  hub::Seq line() const { return count("SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'events_gone_to'"); }
  std::int64_t jobs() const { return count("SELECT count(*) FROM jobs"); }
  std::int64_t events() const { return count("SELECT count(*) FROM events"); }
  std::int64_t kept() const { return count("SELECT count(*) FROM kept_events"); }
  /// What is below the line is registered, and nothing else is.
  bool register_agrees() const {
    return count(
               "SELECT count(*) FROM events AS v LEFT JOIN kept_events AS k ON k.job = v.job AND k.seq = v.seq WHERE "
               "(v.seq <= " +
               std::to_string(line()) + ") <> (k.seq IS NOT NULL)") == 0 &&
           count(
               "SELECT count(*) FROM kept_events AS k WHERE NOT EXISTS (SELECT 1 FROM events AS v WHERE v.seq = "
               "k.seq)") == 0;
  }

  hub::Principal client_;
};

TEST_F(RetentionTest, EventsGoToTheMillisecondAndTheFeedSaysFromWhereItIsKept) {
  finished();
  pass(1'000);
  finished();
  pass(30 * day_ms - 1'000);
  close();
  open();
  nudge();
  EXPECT_EQ(reader_->feed({}).events.size(), 6U);
  pass(1);
  close();
  open();  // looks at once
  nudge_until([&] { return line() == 3; });
  EXPECT_EQ(events(), 3);
  const auto feed = reader_->feed({});
  EXPECT_EQ(feed.begins, 3);
  EXPECT_EQ(feed.last, 6);
  EXPECT_TRUE(feed.events.empty());
  EXPECT_EQ(reader_->feed({.of = {}, .after = 3}).events.size(), 3U);
  EXPECT_FALSE(reader_->events_since({client_.key, client_.account}, 2, {}).missed.complete);
  EXPECT_TRUE(reader_->events_since({client_.key, client_.account}, 3, {}).missed.complete);
}

TEST_F(RetentionTest, WhoResumesBeforeTheCutIsToldSo) {
  const hub::JobId job = submit(client_).id;
  ASSERT_TRUE(report(client_, job, JobStatus::running));
  ASSERT_TRUE(report({client_, job, {}, {}, {}, hub::make_text("1")}));
  pass(31 * day_ms);
  look_until([&] { return line() == 3; });
  EXPECT_EQ(events(), 1) << "its last, which is its progress too";
  ASSERT_TRUE(report({client_, job, {}, {}, {}, hub::make_text("2")}));
  EXPECT_EQ(events(), 1) << "the one before is needed no more";
  ASSERT_TRUE(report({client_, job, {}, {}, {}, hub::make_text("3")}));
  const auto since = [&](hub::Seq after) { return reader_->find_job_since(job, after, {})->missed; };
  for (hub::Seq after = 0; after < 3; ++after) EXPECT_FALSE(since(after).complete) << after;
  EXPECT_TRUE(since(3).complete);
  EXPECT_EQ(since(3).events.size(), 2U);
  EXPECT_TRUE(since(5).complete);
  EXPECT_FALSE(since(6).complete) << "a number that was not given yet";
  EXPECT_EQ(reader_->history(job, {}, 10)->events.size(), 2U);
  EXPECT_TRUE(register_agrees());
}

TEST_F(RetentionTest, ARunningJobKeepsItsProgressAndItsLastEvent) {
  const hub::JobId running = submit(client_).id;
  ASSERT_TRUE(report({client_, running, JobStatus::running, {}, {}, hub::make_text(R"("half")")}));
  const hub::JobId queued = submit(client_).id;
  pass(400 * day_ms);
  look_until([&] { return line() == 3; });
  EXPECT_EQ(*reader_->find_job(running)->progress, R"("half")");
  EXPECT_EQ(reader_->find_job(running)->seq, 2);
  EXPECT_EQ(events(), 2);
  EXPECT_TRUE(reader_->find_job_since(queued, 3, {})->missed.complete);
  EXPECT_TRUE(register_agrees());
  close();
  open();
  ASSERT_TRUE(report(client_, running, JobStatus::failed));
  ASSERT_TRUE(reader_->find_job(running)->progress);
  EXPECT_EQ(*reader_->find_job(running)->progress, R"("half")") << "a final job shows it as long as it is kept";
  EXPECT_TRUE(register_agrees());
  pass(100 * day_ms);
  look_until([&] { return jobs() == 1; });
  EXPECT_FALSE(reader_->find_job(running));
  EXPECT_TRUE(reader_->find_job(queued)) << "it is not final";
  look_until([&] { return events() == 1; });
  EXPECT_TRUE(register_agrees());
}

TEST_F(RetentionTest, NumbersGoOnWhenTheNewestEventsAreGone) {
  finished();
  pass(31 * day_ms);
  look_until([&] { return events() == 0; });
  EXPECT_EQ(reader_->last_seq(), 3);
  EXPECT_EQ(reader_->feed({}).last, 3);
  close();
  open();
  EXPECT_EQ(reader_->last_seq(), 3);
  EXPECT_EQ(submit(client_).seq, 4);
  pass(100 * day_ms);
  look_until([&] { return jobs() == 1; });
  EXPECT_TRUE(register_agrees());
}

TEST_F(RetentionTest, AJobGoesWithAllThatIsOfIt) {
  const auto endpoint = make_endpoint(client_, "https://a.example/hook", all_events).id;
  const hub::JobId job = finished(std::string("\"") + std::string(3'000'000, 'x') + "\"");
  for (const auto& delivery : due(endpoint)) record(attempt_at(endpoint, delivery.id));
  ASSERT_EQ(count("SELECT count(*) FROM attempts"), 3);
  pass(90 * day_ms);
  nudge();
  EXPECT_TRUE(reader_->find_job(job));
  look_until([&] { return jobs() == 0; });
  EXPECT_FALSE(reader_->find_job(job));
  for (const char* table : {"job_states", "events", "deliveries", "attempts", "kept_events"}) {
    EXPECT_EQ(count("SELECT count(*) FROM " + std::string(table)), 0) << table;
  }
  EXPECT_TRUE(reader_->jobs(hub::Reader::JobPage{.of = {}, .status = {}, .before = {}}).jobs.empty());
}

TEST_F(RetentionTest, NeitherItsIdNorItsNumberIsGivenAgain) {
  const hub::JobId job = finished();
  const std::int64_t number = count("SELECT n FROM jobs");
  pass(91 * day_ms);
  look_until([&] { return jobs() == 0; });
  close();
  open();
  const auto again = submit(hub::Submission{client_, job, {}, {}, {}});
  EXPECT_EQ(again.refusal(), hub::Refusal::already_exists);
  EXPECT_THAT(again.detail(), ::testing::HasSubstr("is gone"));
  submit(client_);
  EXPECT_GT(count("SELECT n FROM jobs"), number);
}

TEST_F(RetentionTest, WhatIsStillOwedKeepsItsEventAndItsJob) {
  const auto endpoint = make_endpoint(client_, "https://a.example/hook", all_events).id;
  const hub::JobId job = finished("\"the result\"");
  const auto owed = due(endpoint);
  ASSERT_EQ(owed.size(), 3U);
  record(attempt_at(endpoint, owed[0].id));
  pass(100 * day_ms);
  look_until([&] { return line() == 3; });
  for (int i = 0; i < 3; ++i) look_until([&] { return true; });
  EXPECT_EQ(jobs(), 1);
  const auto still = due(endpoint);
  ASSERT_EQ(still.size(), 2U);
  EXPECT_EQ(still[1].event->job, job);
  EXPECT_EQ(*still[1].event->result, "\"the result\"");
  EXPECT_EQ(reader_->find_delivery_report(owed[0].id)->job, job) << "what has arrived can be sent again";
  EXPECT_TRUE(register_agrees());
  for (const auto& delivery : still) record(attempt_at(endpoint, delivery.id));
  look_until([&] { return jobs() == 0; });
  EXPECT_EQ(events(), 0);
  EXPECT_EQ(count("SELECT count(*) FROM deliveries"), 0);
}

TEST_F(RetentionTest, AnEventThatOnlyADeliveryKeptGoesWithIt) {
  options_.keep_deliveries_ms = 40 * day_ms;
  open();
  const auto endpoint = make_endpoint(client_, "https://a.example/hook", all_events).id;
  const auto other = make_endpoint(client_, "https://a.example/other", all_events).id;
  finished();
  for (const auto of : {endpoint, other}) {
    for (const auto& delivery : due(of)) record(attempt_at(of, delivery.id));
  }
  pass(31 * day_ms);
  look_until([&] { return line() == 3; });
  EXPECT_EQ(events(), 3);
  ASSERT_TRUE(remove(client_, endpoint));
  await([&] { return count("SELECT count(*) FROM deliveries") == 3; });
  EXPECT_EQ(events(), 3) << "the other's deliveries name them as well";
  pass(10 * day_ms);
  look_until([&] { return count("SELECT count(*) FROM deliveries") == 0; });
  EXPECT_EQ(events(), 0);
  EXPECT_EQ(kept(), 0);
  EXPECT_EQ(jobs(), 1);
}

TEST_F(RetentionTest, EventsOfNoJobGoToo) {
  const auto endpoint = make_endpoint(client_, "https://a.example/hook").id;
  ASSERT_TRUE(set_status(client_, endpoint, hub::EndpointStatus::disabled));
  ASSERT_EQ(count("SELECT count(*) FROM owner_events"), 1);
  pass(31 * day_ms);
  look_until([&] { return count("SELECT count(*) FROM owner_events") == 0; });
  EXPECT_EQ(events(), 0);
}

TEST_F(RetentionTest, AnErasedJobsProgressGoesFromWhatIsKeptOfItToo) {
  const auto endpoint = make_endpoint(client_, "https://a.example/hook", all_events).id;
  const hub::JobId job = submit(client_).id;
  ASSERT_TRUE(report({client_, job, JobStatus::running, {}, {}, hub::make_text("\"secret\"")}));
  pass(31 * day_ms);
  look_until([&] { return line() == 2; });
  ASSERT_TRUE(report(client_, job, JobStatus::succeeded));
  ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->erase_job(client_, job, home_, then); }));
  EXPECT_EQ(count("SELECT count(*) FROM events WHERE progress IS NOT NULL"), 0);
  EXPECT_EQ(due(endpoint).size(), 3U) << "they are still to be sent";
  for (const auto& delivery : due(endpoint)) record(attempt_at(endpoint, delivery.id));
}

TEST_F(RetentionTest, OthersAreAnsweredMeanwhile) {
  constexpr int many = 20'000;
  add_finished(many);
  pass(91 * day_ms);
  const hub::JobId job = submit(client_).id;
  std::vector<double> took_ms;
  await([&] {
    const auto begun_at = std::chrono::steady_clock::now();
    const auto status = took_ms.empty() ? std::optional(JobStatus::running) : std::nullopt;
    EXPECT_TRUE(report({client_, job, status, {}, {}, hub::make_text("1")}));
    took_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun_at).count());
    return jobs() == 1;
  });
  EXPECT_GT(took_ms.size(), 100U) << "no answer waited for more than a slice";
  std::sort(took_ms.begin(), took_ms.end());
  RecordProperty("reports", static_cast<int>(took_ms.size()));
  RecordProperty("median_ms", std::to_string(took_ms[took_ms.size() / 2]));
  RecordProperty("p99_ms", std::to_string(took_ms[took_ms.size() * 99 / 100]));
  RecordProperty("longest_ms", std::to_string(took_ms.back()));
  EXPECT_TRUE(register_agrees());
  EXPECT_LE(count("SELECT count(*) FROM owner_spans"), 64) << "of the last block";
  EXPECT_EQ(count("SELECT count(*) FROM job_ids_gone"), many);
}

TEST_F(RetentionTest, GoesOnAfterARestart) {
  add_finished(5'000);
  pass(91 * day_ms);
  await([&] { return line() > 0; });
  close();
  const hub::Seq stopped_at = line();
  EXPECT_LT(stopped_at, 15'000) << "the store did not wait for it to end";
  EXPECT_TRUE(register_agrees());
  open();
  await([&] { return jobs() == 0; });
  EXPECT_EQ(line(), 15'000);
  EXPECT_EQ(events(), 0);
  EXPECT_EQ(submit(client_).seq, 15'001);
}

TEST_F(RetentionTest, WhatAFullDiskUndidIsDoneLater) {
  add_finished(5'000);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limited{4'096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limited);
  pass(91 * day_ms);
  await([&] {
    nudge();
    return !store_->writable();
  });
  EXPECT_EQ(line(), 0);
  EXPECT_EQ(events(), 15'000);
  setrlimit(RLIMIT_FSIZE, &before);
  await([&] { return jobs() == 0; });
  EXPECT_EQ(line(), 15'000);
  EXPECT_TRUE(register_agrees());
}

TEST_F(RetentionTest, KeptForEverNothingGoes) {
  options_.keep_jobs_ms = options_.keep_events_ms = 0;
  open();
  finished();
  pass(10'000 * day_ms);
  for (int i = 0; i < 5; ++i) {
    clock_.now += 700'000;
    nudge();
  }
  EXPECT_EQ(jobs(), 1);
  EXPECT_EQ(events(), 3);
}

TEST_F(RetentionTest, EventsAreKeptNoLongerThanJobs) {
  options_.keep_events_ms = 0;
  options_.keep_jobs_ms = 10 * day_ms;
  open();
  finished();
  pass(11 * day_ms);
  look_until([&] { return jobs() == 0; });
  EXPECT_EQ(events(), 0);
  EXPECT_EQ(reader_->feed({}).begins, 3);
}

TEST_F(RetentionTest, ListsGoOnWithWhatIsLeft) {
  add_finished(9'000);
  pass(91 * day_ms);
  const hub::JobId left = submit(client_).id;
  await([&] { return jobs() == 1; });
  using Of = hub::Sight::Of;
  const auto page =
      reader_->jobs(hub::Reader::JobPage{.of = {Of::key, client_.account, client_.key}, .status = {}, .before = {}});
  ASSERT_EQ(page.jobs.size(), 1U);
  EXPECT_EQ(page.jobs[0].job.id, left);
  EXPECT_FALSE(page.next);
}

}  // namespace
}  // namespace carillon::storage::sqlite
