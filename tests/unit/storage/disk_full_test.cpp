// A disk that is full, made of a file that may not grow: the limit on a process's file size (setrlimit), which SQLite
// meets in write() as it would meet ENOSPC.
#include <sys/resource.h>

#include <csignal>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limited{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

TEST_F(StoreTest, AFullDiskStopsAcknowledgementsNotReadingAndThenItGoesOn) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::Job job = submit(client);
  const hub::Report big{client, job.id, hub::JobStatus::failed, {}, hub::make_text(std::string(4 << 20, 'x')), {}};
  {
    const FileSizeLimit limit(1 << 20);
    const std::uint64_t newest = store_->newest_commit();
    const auto refused = report(big);
    EXPECT_EQ(store_->newest_commit(), newest) << "nobody can have read what failed";
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.refusal(), hub::Refusal::unavailable);
    EXPECT_FALSE(store_->writable());
    EXPECT_EQ(reader_->find_job(job.id)->status, hub::JobStatus::queued);
    EXPECT_EQ(reader_->last_seq(), job.seq);
  }
  ASSERT_TRUE(report(big));
  EXPECT_TRUE(store_->writable());
  EXPECT_EQ(reader_->find_job(job.id)->status, hub::JobStatus::failed);
  EXPECT_EQ(reader_->last_seq(), job.seq + 1) << "no number was used up by what was refused";
}

TEST_F(StoreTest, WhatAFullDiskUndidIsNotRememberedAsDone) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::Job job = submit(client);
  const hub::Report big{client, job.id, hub::JobStatus::running, {}, {}, hub::make_text(std::string(4 << 20, '1'))};
  {
    const FileSizeLimit limit(1 << 20);
    ASSERT_FALSE(report(big));
  }
  ASSERT_TRUE(report(big));
  const auto batches = home_.await_batches(2);
  EXPECT_EQ(batches.back()->events.back()->kind, hub::EventKind::running) << "not progress of a job that ran already";
  EXPECT_EQ(batches.back()->events.back()->seq, job.seq + 1);
}

TEST_F(StoreTest, WritingIsFoundToWorkAgainWithoutAnyoneAsking) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::Job job = submit(client);
  {
    const FileSizeLimit limit(1 << 20);
    ASSERT_FALSE(report({client, job.id, hub::JobStatus::failed, {}, hub::make_text(std::string(4 << 20, 'x')), {}}));
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!store_->writable() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_TRUE(store_->writable());
}

}  // namespace
}  // namespace carillon::storage::sqlite
