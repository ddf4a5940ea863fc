// What is known from memory is what the store would say, and never behind what anyone can have been told.
#include "channels/polling/job_cache.h"

#include <atomic>
#include <thread>

#include "channels/polling/job_json.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::channels::polling {
namespace {

using hub::JobStatus;
using storage::sqlite::Connection;

class JobCacheTest : public storage::sqlite::StoreTest {
 protected:
  void start(JobCache::Limits limits = JobCache::Limits()) {
    open();
    client_ = principal(make_key("acme"));
    cache_.emplace(*reader_, *store_, limits);
    const auto beginning = store_->add(told_);
    number_ = beginning.number;
    cache_->begin_after(beginning);
  }
  ~JobCacheTest() override {
    cache_.reset();
    close();
  }

  /// All that the store has done passes by the cache.
  void pass_on() {
    await([this] { return pass_on_what_came() == store_->newest_commit(); });
  }
  /// The number of the last that did.
  std::uint64_t pass_on_what_came() {
    const auto batches = told_.batches();
    for (; passed_ < batches.size(); ++passed_) {
      cache_->on_commit(*batches[passed_]);
      number_ = batches[passed_]->number;
    }
    return number_;
  }

  /// Changes the database behind everyone's back: who still says what was before, says so from memory.
  void change_unseen(const hub::JobId& job) const {
    Connection connection(path(), storage::sqlite::Access::write);
    connection.run("UPDATE job_states SET status = 1 WHERE n = (SELECT n FROM jobs WHERE hex(id) = upper('" + hex(job) +
                   "'))");
  }
  static std::string hex(const hub::JobId& job) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : job.bytes) (text += digits[byte >> 4U]) += digits[byte & 15U];
    return text;
  }
  bool from_memory(const hub::JobId& job) {
    change_unseen(job);
    const auto* known = cache_->find(job);
    return known != nullptr && known->job.status == JobStatus::queued;
  }
  JobStatus status_of(const hub::JobId& job) {
    const auto* known = cache_->find(job);
    return known == nullptr ? throw std::runtime_error("no such job") : known->job.status;
  }

  hub::Principal client_;
  storage::sqlite::TestListener told_;
  std::size_t passed_ = 0;
  std::uint64_t number_ = 0;
  std::optional<JobCache> cache_;
};

TEST_F(JobCacheTest, AJobIsReadOnceAndThenKnownFromMemory) {
  start();
  const hub::Job job = submit(client_);
  pass_on();
  ASSERT_NE(cache_->find(job.id), nullptr);
  EXPECT_TRUE(from_memory(job.id));
  EXPECT_EQ(cache_->find(job.id)->json.text(), job_json(job).text());
}

TEST_F(JobCacheTest, ItIsKnownAsItChanges) {
  start();
  const hub::Job job = submit(client_);
  pass_on();
  EXPECT_EQ(status_of(job.id), JobStatus::queued);
  for (const JobStatus next : {JobStatus::running, JobStatus::failed}) {
    ASSERT_TRUE(report(client_, job.id, next));
    pass_on();
    EXPECT_EQ(status_of(job.id), next);
    EXPECT_EQ(cache_->find(job.id)->json.text(), job_json(*reader_->find_job(job.id)).text());
  }
}

TEST_F(JobCacheTest, WhoWasAnsweredElsewhereIsNotToldWhatWasBefore) {
  start();
  const hub::Job job = submit(client_);
  pass_on();
  EXPECT_EQ(status_of(job.id), JobStatus::queued);
  ASSERT_TRUE(report(client_, job.id, JobStatus::running));  // answered, and not yet passed on to this loop
  EXPECT_EQ(status_of(job.id), JobStatus::running);
  ASSERT_TRUE(report(client_, job.id, JobStatus::failed));
  EXPECT_EQ(status_of(job.id), JobStatus::failed);
  pass_on();
  EXPECT_EQ(status_of(job.id), JobStatus::failed);
}

TEST_F(JobCacheTest, NoReaderIsEverAheadOfIt) {
  start();
  const hub::JobId job = submit(client_).id;
  ASSERT_TRUE(report(client_, job, JobStatus::running));
  std::atomic<bool> done{false};
  std::thread reporter([&] {
    for (int i = 0; i < 600; ++i) {
      report({client_, job, {}, {}, {}, hub::make_text(std::to_string(i))});
    }
    done = true;
  });
  const auto other = store_->open_reader();
  std::uint64_t looks = 0;
  std::uint64_t behind = 0;
  while (!done) {
    pass_on_what_came();
    for (int i = 0; i < 20; ++i, ++looks) {
      const hub::Seq seen = other->find_job(job)->seq;
      behind += cache_->find(job)->job.seq < seen ? 1 : 0;
    }
  }
  reporter.join();
  EXPECT_EQ(behind, 0U) << "of " << looks;
}

TEST_F(JobCacheTest, WhatIsErasedIsGoneAtOnce) {
  start();
  const hub::JobId job = submit(client_).id;
  ASSERT_TRUE(report(client_, job, JobStatus::failed));
  pass_on();
  ASSERT_NE(cache_->find(job), nullptr);
  ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->erase_job(client_, job, home_, then); }));
  EXPECT_EQ(cache_->find(job), nullptr);
  pass_on();
  EXPECT_EQ(cache_->find(job), nullptr);
}

TEST_F(JobCacheTest, WhatIsNoLongerKeptIsGone) {
  options_.keep_jobs_ms = 10'000;
  start();
  const hub::JobId job = submit(client_).id;
  ASSERT_TRUE(report(client_, job, JobStatus::failed));
  pass_on();
  ASSERT_NE(cache_->find(job), nullptr);
  await([&] {
    clock_.now += 20'000;
    submit(client_);
    return !reader_->find_job(job);
  });
  pass_on();
  EXPECT_EQ(cache_->find(job), nullptr);
}

TEST_F(JobCacheTest, AMissingJobIsNotRemembered) {
  start();
  const auto id = hub::JobId::random();
  EXPECT_EQ(cache_->find(id), nullptr);
  EXPECT_EQ(cache_->jobs(), 0U);
  ASSERT_TRUE(submit(hub::Submission{client_, id, {}, {}, {}}));
  EXPECT_NE(cache_->find(id), nullptr);
}

TEST_F(JobCacheTest, IsBoundedAndKeepsWhatIsAskedForMost) {
  JobCache::Limits limits;
  limits.jobs = 8;
  start(limits);
  const hub::JobId often = submit(client_).id;
  std::vector<hub::JobId> others;
  for (int i = 0; i < 50; ++i) others.push_back(submit(client_).id);
  pass_on();
  for (const auto& other : others) {
    ASSERT_NE(cache_->find(often), nullptr);
    ASSERT_NE(cache_->find(other), nullptr);
    EXPECT_LE(cache_->jobs(), 8U);
  }
  EXPECT_TRUE(from_memory(often));
  EXPECT_FALSE(from_memory(others.front()));
}

TEST_F(JobCacheTest, IsBoundedByBytesAndALargeJobTakesNone) {
  JobCache::Limits limits;
  limits.bytes = 64 * 1024;
  limits.bytes_of_job = 8 * 1024;
  start(limits);
  const auto finished = [&](std::size_t bytes) {
    const hub::JobId job = submit(client_).id;
    EXPECT_TRUE(report({client_, job, JobStatus::failed, {}, hub::make_text(std::string(bytes, 'x')), {}}));
    return job;
  };
  std::vector<hub::JobId> jobs;
  for (int i = 0; i < 50; ++i) jobs.push_back(finished(2'000));
  const hub::JobId large = finished(20'000);
  pass_on();
  for (const auto& job : jobs) {
    ASSERT_NE(cache_->find(job), nullptr);
    EXPECT_LE(cache_->bytes(), limits.bytes);
  }
  const std::size_t kept = cache_->bytes();
  EXPECT_GT(kept, limits.bytes / 4);
  ASSERT_NE(cache_->find(large), nullptr);
  EXPECT_EQ(cache_->find(large)->job.error->size(), 20'000U);
  EXPECT_EQ(cache_->bytes(), kept);
  for (const auto& job : jobs) {
    ASSERT_TRUE(reader_->find_job(job));
    auto event = std::make_shared<hub::Event>();
    event->job = job;
    hub::CommitBatch batch;
    batch.number = store_->newest_commit();
    batch.events.push_back(std::move(event));
    cache_->on_commit(batch);
  }
  EXPECT_EQ(cache_->jobs(), 0U);
  EXPECT_EQ(cache_->bytes(), 0U);
}

}  // namespace
}  // namespace carillon::channels::polling
