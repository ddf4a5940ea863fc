// What a reader tells of events that were missed: equal to those of the commits, of one moment, or said to be
// incomplete.
#include "channels/websocket/messages.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;

class MissedEventsTest : public StoreTest {
 protected:
  void SetUp() override {
    open();
    client_ = principal(make_key("acme"));
    other_ = principal(make_key("other"));
  }

  hub::JobId submit_for(const hub::Principal& by) { return submit(by).id; }
  void progress(const hub::JobId& job, const std::string& text) {
    ASSERT_TRUE(report({client_, job, {}, {}, {}, hub::make_text(text)}));
  }

  /// All that was told by commits, as it went out.
  std::vector<std::string> told(const std::vector<hub::JobId>& jobs, hub::Seq after) const {
    std::vector<std::string> frames;
    for (const auto& batch : const_cast<TestListener&>(home_).batches()) {
      for (const auto& event : batch->events) {
        if (event->seq > after && std::count(jobs.begin(), jobs.end(), event->job) > 0) frames.push_back(frame(*event));
      }
    }
    return frames;
  }
  static std::vector<std::string> frames(const hub::Missed& missed) {
    std::vector<std::string> all;
    for (const auto& event : missed.events) all.push_back(frame(*event));
    return all;
  }
  static std::string frame(const hub::Event& event) {
    return std::string(to_text(event.kind)) + channels::websocket::job_update_frame(event, true);
  }
  static hub::JobOwner owner_of(const hub::Principal& client) { return {client.key, client.account}; }
  /// As whoever removes events does it.
  void forget_events(hub::Seq upto) {
    run("DELETE FROM events WHERE seq <= " + std::to_string(upto));
    run("UPDATE meta SET value = '" + std::to_string(upto) + "' WHERE name = 'events_gone_to'");
  }
  void run(const std::string& sql) { Connection(path(), Access::write).run(sql); }

  hub::Principal client_;
  hub::Principal other_;
  hub::MissedLimit limit_;
};

TEST_F(MissedEventsTest, AreTheOnesThatWereToldByteForByte) {
  const hub::JobId job = submit_for(client_);
  const hub::JobId failed = submit_for(client_);
  const hub::JobId foreign = submit_for(other_);
  clock_.now += 1'000;
  ASSERT_TRUE(report({client_, job, JobStatus::running, {}, {}, hub::make_text(R"({"at": 1})")}));
  ASSERT_TRUE(report(other_, foreign, JobStatus::running));
  ASSERT_TRUE(report(client_, failed, JobStatus::running));
  progress(job, R"("two")");
  ASSERT_TRUE(report({client_, failed, JobStatus::failed, {}, hub::make_text("a \"reason\""), {}}));
  clock_.now += 1'000;
  ASSERT_TRUE(report({client_, job, JobStatus::succeeded, hub::make_text("[1, 2]"), {}, hub::make_text("3")}));
  ASSERT_EQ(reader_->last_seq(), 9);

  for (hub::Seq after = 0; after <= 9; ++after) {
    for (const auto& id : {job, failed}) {
      const auto since = reader_->find_job_since(id, after, limit_);
      ASSERT_TRUE(since && since->missed.complete) << after;
      EXPECT_EQ(frames(since->missed), told({id}, after)) << after;
      EXPECT_EQ(since->job.seq, reader_->find_job(id)->seq);
      EXPECT_TRUE(since->missed.events.empty() || since->missed.events.back()->seq == since->job.seq) << after;
    }
    const auto since = reader_->events_since(owner_of(client_), after, limit_);
    ASSERT_TRUE(since.missed.complete) << after;
    EXPECT_EQ(since.last, 9);
    EXPECT_EQ(frames(since.missed), told({job, failed}, after)) << after;
  }
  EXPECT_FALSE(reader_->find_job_since(hub::JobId::random(), 0, limit_));
}

TEST_F(MissedEventsTest, MoreThanTheLimitIsNoneAtAll) {
  const hub::JobId job = submit_for(client_);
  ASSERT_TRUE(report(client_, job, JobStatus::running));
  for (int n = 0; n < 3; ++n) progress(job, std::to_string(n));
  submit_for(other_);
  submit_for(other_);
  ASSERT_EQ(reader_->last_seq(), 7);

  limit_.events = 4;
  EXPECT_TRUE(reader_->find_job_since(job, 1, limit_)->missed.complete);
  const auto since = reader_->find_job_since(job, 0, limit_);
  EXPECT_FALSE(since->missed.complete);
  EXPECT_TRUE(since->missed.events.empty());
  EXPECT_EQ(since->job.seq, 5);
  EXPECT_TRUE(reader_->events_since(owner_of(client_), 1, limit_).missed.complete);
  EXPECT_FALSE(reader_->events_since(owner_of(client_), 0, limit_).missed.complete);

  limit_ = {};
  limit_.bytes = 2;
  EXPECT_TRUE(reader_->find_job_since(job, 3, limit_)->missed.complete);
  EXPECT_FALSE(reader_->find_job_since(job, 0, limit_)->missed.complete);
  EXPECT_TRUE(reader_->events_since(owner_of(client_), 3, limit_).missed.complete);
  EXPECT_FALSE(reader_->events_since(owner_of(client_), 0, limit_).missed.complete);

  limit_ = {};
  limit_.events = 0;
  EXPECT_TRUE(reader_->find_job_since(job, 5, limit_)->missed.complete) << "nothing was missed";
}

TEST_F(MissedEventsTest, WhatIsNoLongerKeptIsNotPassedOver) {
  const hub::JobId job = submit_for(client_);
  submit_for(other_);
  ASSERT_TRUE(report(client_, job, JobStatus::running));
  progress(job, "1");
  forget_events(3);
  EXPECT_TRUE(reader_->find_job_since(job, 3, limit_)->missed.complete);
  EXPECT_FALSE(reader_->find_job_since(job, 2, limit_)->missed.complete) << "the one of 3 is gone";
  EXPECT_TRUE(reader_->events_since(owner_of(client_), 3, limit_).missed.complete);
  EXPECT_FALSE(reader_->events_since(owner_of(client_), 2, limit_).missed.complete);
  progress(job, "2");
  progress(job, "3");
  run("DELETE FROM events WHERE seq = 5");
  EXPECT_FALSE(reader_->find_job_since(job, 4, limit_)->missed.complete) << "a hole in the middle";
}

TEST_F(MissedEventsTest, ANumberThatWasNotGivenYetIsOfAnotherHistory) {
  const hub::JobId job = submit_for(client_);
  const hub::Seq last = submit(client_).seq;
  EXPECT_TRUE(reader_->find_job_since(job, last, limit_)->missed.complete) << "a number of another job";
  EXPECT_FALSE(reader_->find_job_since(job, last + 1, limit_)->missed.complete);
  EXPECT_TRUE(reader_->events_since(owner_of(client_), last, limit_).missed.complete);
  EXPECT_FALSE(reader_->events_since(owner_of(client_), last + 1, limit_).missed.complete);
}

// Whatever is committed between its parts: what is read is of one moment, and the next reading sees all of it.
TEST_F(MissedEventsTest, JobAndEventsAreOfOneMoment) {
  const hub::JobId job = submit_for(client_);
  ASSERT_TRUE(report(client_, job, JobStatus::running));
  std::atomic<bool> stop{false};
  std::thread reporter([&] {
    TestListener home;
    store_->add(home);
    for (int n = 0; !stop; ++n) {
      bool done = false;
      store_->report({client_, job, {}, {}, {}, hub::make_text(std::to_string(n))}, home,
                     [&](const hub::Outcome<hub::Job>&) { done = true; });
      home.run_until([&] { return done; });
    }
    store_->remove(home);
  });
  limit_.events = 1'000'000;
  hub::Seq seen = 2;
  for (int n = 0; n < 2'000; ++n) {
    const auto since = reader_->find_job_since(job, seen, limit_);
    ASSERT_TRUE(since->missed.complete);
    ASSERT_EQ(static_cast<hub::Seq>(since->missed.events.size()), since->job.seq - seen);
    if (!since->missed.events.empty()) {
      ASSERT_EQ(since->missed.events.back()->seq, since->job.seq);
      ASSERT_EQ(*since->missed.events.back()->progress, *since->job.progress);
    }
    const auto all = reader_->events_since(owner_of(client_), since->job.seq, limit_);
    ASSERT_TRUE(all.missed.complete);
    ASSERT_EQ(static_cast<hub::Seq>(all.missed.events.size()), all.last - since->job.seq);
    seen = since->job.seq;
  }
  stop = true;
  reporter.join();
}

}  // namespace
}  // namespace carillon::storage::sqlite
