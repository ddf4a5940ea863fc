// The feed: every event of a sight once and in order, page by page, at a cost that does not grow with others' events;
// and a job's own history.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;
using hub::Sight;

class FeedTest : public StoreTest {
 protected:
  void SetUp() override {
    open();
    client_ = principal(make_key("acme"));
    colleague_ = principal(make_key("acme"));
    other_ = principal(make_key("other"));
  }

  static Sight of_key(const hub::Principal& who) { return {Sight::Of::key, who.account, who.key}; }
  static Sight of_account(const hub::Principal& who) { return {Sight::Of::account, who.account, who.key}; }

  hub::Reader::Feed feed(const Sight& sight, hub::Seq after, std::size_t events_max = 1'000) const {
    return reader_->feed({.of = sight, .after = after, .events_max = events_max});
  }
  /// The numbers of a whole feed, read in pages.
  std::vector<hub::Seq> numbers(const Sight& sight, std::size_t events_max) const {
    std::vector<hub::Seq> all;
    for (hub::Seq after = 0;;) {
      const auto page = feed(sight, after, events_max);
      EXPECT_LE(page.events.size(), events_max);
      for (const auto& event : page.events) {
        EXPECT_TRUE(sight.takes_in(event->owner));
        all.push_back(event->seq);
      }
      EXPECT_TRUE(page.through > after || page.through == page.last);
      if (page.through == page.last) return all;
      after = page.through;
    }
  }
  /// What the commits told of it.
  std::vector<hub::Seq> told(const Sight& sight) {
    std::vector<hub::Seq> all;
    for (const auto& batch : home_.batches()) {
      for (const auto& event : batch->events) {
        if (sight.takes_in(event->owner)) all.push_back(event->seq);
      }
    }
    return all;
  }
  /// Events of somebody else's, behind what is there; written while the store is closed.
  void add_events(hub::Seq first, hub::Seq last, const hub::Principal& of) const {
    Connection connection(path(), Access::write);
    const std::string whose = std::to_string(of.account.value) + ", " + std::to_string(of.key.value);
    connection.run("BEGIN");
    connection.run("WITH RECURSIVE c (n) AS (SELECT " + std::to_string(first) +
                   " UNION ALL SELECT n + 1 FROM c WHERE n < " + std::to_string(last) +
                   ") INSERT INTO events (seq, job, kind, status, at, previous, owner_account, owner_key) "
                   "SELECT n, 1, 2, 1, 1, 0, " +
                   whose + " FROM c");
    connection.run(
        "INSERT OR IGNORE INTO owner_spans SELECT DISTINCT seq >> 12, owner_account, owner_key, seq >> 6 "
        "FROM events WHERE seq >= " +
        std::to_string(first));
    connection.run("COMMIT");
  }

  hub::Principal client_;
  hub::Principal colleague_;
  hub::Principal other_;
};

TEST_F(FeedTest, HasEveryEventOnceInOrderWhateverThePageSize) {
  std::vector<std::pair<hub::Principal, hub::JobId>> jobs;
  for (int i = 0; i < 40; ++i) {
    const auto& by = i % 7 == 0 ? client_ : i % 3 == 0 ? colleague_ : other_;
    jobs.emplace_back(by, submit(by).id);
  }
  for (int round = 0; round < 6; ++round) {
    for (const auto& [by, job] : jobs) {
      ASSERT_TRUE(report({by, job, JobStatus::running, {}, {}, hub::make_text(std::to_string(round))}));
    }
  }
  ASSERT_GT(reader_->last_seq(), 256) << "several spans";
  for (const auto& sight : {of_key(client_), of_key(colleague_), of_account(client_), of_key(other_), Sight{}}) {
    const auto expected = told(sight);
    ASSERT_FALSE(expected.empty());
    for (const std::size_t page : {1U, 3U, 64U, 1'000U}) EXPECT_EQ(numbers(sight, page), expected) << page;
  }
}

TEST_F(FeedTest, AnEventIsAsItWasTold) {
  const hub::JobId job = submit(client_).id;
  ASSERT_TRUE(report({client_, job, JobStatus::running, {}, {}, hub::make_text("7")}));
  ASSERT_TRUE(report({client_, job, JobStatus::succeeded, hub::make_text("[1]"), {}, {}}));
  const auto endpoint = make_endpoint(client_, "https://a.example/").id;
  ASSERT_TRUE(set_status(client_, endpoint, hub::EndpointStatus::disabled));
  const auto page = feed(of_key(client_), 0);
  ASSERT_EQ(page.events.size(), 4U);
  std::size_t i = 0;
  for (const auto& batch : home_.batches()) {
    for (const auto& event : batch->events) {
      const hub::Event& read = *page.events[i++];
      EXPECT_EQ(read.seq, event->seq);
      EXPECT_EQ(read.kind, event->kind);
      EXPECT_EQ(read.job, event->job);
      EXPECT_EQ(read.at, event->at);
      EXPECT_EQ(read.owner.key, event->owner.key);
      EXPECT_EQ(read.owner.account, event->owner.account);
      for (const auto text : {&hub::Event::progress, &hub::Event::result, &hub::Event::error, &hub::Event::data}) {
        ASSERT_EQ(read.*text == nullptr, (*event).*text == nullptr);
        if (read.*text) {
          EXPECT_EQ(*(read.*text), *((*event).*text));
        }
      }
    }
  }
  EXPECT_EQ(i, 4U);
}

TEST_F(FeedTest, APageIsFullWithTheEventThatPassesItsBytes) {
  const hub::JobId job = submit(client_).id;
  for (int n = 0; n < 4; ++n) {
    ASSERT_TRUE(report({client_, job, JobStatus::running, {}, {}, hub::make_text("\"12345678\"")}));
  }
  const auto page = reader_->feed({.of = of_key(client_), .after = 0, .events_max = 100, .bytes_max = 11});
  EXPECT_EQ(page.events.size(), 3U);
  EXPECT_EQ(page.through, 3);
  EXPECT_EQ(page.last, 5);
}

TEST_F(FeedTest, SaysWhereItBegins) {
  for (int n = 0; n < 5; ++n) submit(client_);
  EXPECT_EQ(feed({}, 0).begins, 0);
  {
    Connection connection(path(), Access::write);
    connection.run("DELETE FROM events WHERE seq <= 3 AND seq != 2");  // one may be needed elsewhere
    connection.run("UPDATE meta SET value = '3' WHERE name = 'events_gone_to'");
  }
  for (const auto& sight : {of_key(client_), Sight{}}) {
    const auto gone = feed(sight, 2);
    EXPECT_EQ(gone.begins, 3);
    EXPECT_TRUE(gone.events.empty());
    EXPECT_EQ(gone.through, 2);
    EXPECT_EQ(feed(sight, 3).events.size(), 2U);
    EXPECT_TRUE(feed(sight, 6).events.empty());
    EXPECT_EQ(feed(sight, 6).last, 5);
  }
}

TEST_F(FeedTest, AnEmptyHistoryIsReadFromItsBeginning) {
  const auto page = feed(of_key(client_), 0);
  EXPECT_EQ(page.begins, 0);
  EXPECT_EQ(page.last, 0);
  EXPECT_EQ(page.through, 0);
}

// The owner has one event before and one behind a million of others'.
TEST_F(FeedTest, WhatLiesBetweenIsPassedInBoundedSteps) {
  submit(client_);
  close();
  constexpr hub::Seq others = 1'000'000;
  add_events(2, others + 1, other_);
  open();
  const hub::Seq last = submit(client_).seq;
  ASSERT_EQ(last, others + 2);
  EXPECT_EQ(numbers(of_key(client_), 10), (std::vector<hub::Seq>{1, last}));
  EXPECT_EQ(numbers(of_account(client_), 10), (std::vector<hub::Seq>{1, last}));
  EXPECT_EQ(feed(of_key(colleague_), 0).through, last) << "nothing at all, in one look";
}

TEST_F(FeedTest, AStepHasItsEndWhereThereIsStillMore) {
  submit(client_);
  close();
  add_events(6'000'000, 6'000'000, other_);
  open();
  const auto page = feed(of_key(client_), 1);
  EXPECT_TRUE(page.events.empty());
  EXPECT_EQ(page.through, 1'000 * 4096 - 1);
  EXPECT_EQ(page.last, 6'000'000);
  EXPECT_EQ(feed(of_key(client_), page.through).through, page.last);
}

TEST_F(FeedTest, AfterARollbackNothingIsPassedOver) {
  // A commit that fails takes its spans with it: what is noted in memory must not stand for them.
  make_endpoint(colleague_, "https://a.example/", hub::EventKinds{}.with(hub::EventKind::queued));
  submit(client_);
  {
    Connection blocker(path(), Access::write);
    blocker.run("CREATE TRIGGER fail BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'no'); END");
  }
  EXPECT_FALSE(submit(hub::Submission{colleague_, hub::JobId::random(), {}, {}, {}}));
  {
    Connection blocker(path(), Access::write);
    blocker.run("DROP TRIGGER fail");
  }
  await([&] { return store_->writable(); });
  const auto job = submit(hub::Submission{colleague_, hub::JobId::random(), {}, {}, {}});
  ASSERT_TRUE(job);
  EXPECT_EQ(numbers(of_key(colleague_), 10), (std::vector<hub::Seq>{job->seq}));
}

// --- a job's own history ---------------------------------------------------------------------------------------------

class HistoryTest : public FeedTest {
 protected:
  static std::vector<hub::Seq> numbers_of(const hub::Reader::JobHistory& history) {
    std::vector<hub::Seq> all;
    for (const auto& event : history.events) all.push_back(event->seq);
    return all;
  }
};

TEST_F(HistoryTest, IsReadFromItsEndInPagesThatStandInOrder) {
  const hub::JobId job = submit(client_).id;  // 1
  submit(other_);                             // 2
  ASSERT_TRUE(report(client_, job, JobStatus::running));
  ASSERT_TRUE(report({client_, job, JobStatus::running, {}, {}, hub::make_text("1")}));
  ASSERT_TRUE(report({client_, job, JobStatus::succeeded, hub::make_text("{}"), {}, {}}));
  const auto whole = reader_->history(job, {}, 10);
  ASSERT_TRUE(whole);
  EXPECT_EQ(numbers_of(*whole), (std::vector<hub::Seq>{1, 3, 4, 5}));
  EXPECT_EQ(whole->earlier, 0);
  EXPECT_EQ(*whole->events[3]->result, "{}");
  const auto last = reader_->history(job, {}, 3);
  EXPECT_EQ(numbers_of(*last), (std::vector<hub::Seq>{3, 4, 5}));
  EXPECT_EQ(last->earlier, 1);
  EXPECT_EQ(numbers_of(*reader_->history(job, last->earlier, 3)), (std::vector<hub::Seq>{1}));
  EXPECT_TRUE(reader_->history(job, 2, 3)->events.empty()) << "an event of another job";
  EXPECT_TRUE(reader_->history(job, 77, 3)->events.empty());
  EXPECT_FALSE(reader_->history(hub::JobId::random(), {}, 3));
}

}  // namespace
}  // namespace carillon::storage::sqlite
