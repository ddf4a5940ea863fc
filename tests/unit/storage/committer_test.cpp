#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

TEST_F(StoreTest, ManyThreadsShareCommitsAndEveryoneIsAnsweredOnce) {
  open();
  const auto client = principal(make_key("acme"));
  constexpr int threads = 8;
  constexpr int each = 500;
  std::atomic<int> answers{0};
  const std::size_t batches_before = home_.batches().size();
  std::vector<std::thread> askers;
  for (int t = 0; t < threads; ++t) {
    askers.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        store_->submit({client, hub::JobId::random(), {}, {}, {}}, home_, [&](const hub::Outcome<hub::Job>& outcome) {
          EXPECT_TRUE(outcome);
          ++answers;
        });
      }
    });
  }
  for (auto& asker : askers) asker.join();
  home_.run_until([&] { return answers == threads * each; });

  const auto batches = home_.batches();
  EXPECT_LT(batches.size() - batches_before, std::size_t{threads * each}) << "changes gather into commits";
  hub::Seq last = 0;
  for (const auto& batch : batches) {
    EXPECT_EQ(batch->after, last);
    for (const auto& event : batch->events) EXPECT_EQ(event->seq, ++last);
    EXPECT_EQ(batch->last, last);
  }
  EXPECT_EQ(last, threads * each);
}

TEST_F(StoreTest, WhatBreaksARuleFailsAloneAmongOthers) {
  open();
  const auto client = principal(make_key("acme"));
  const hub::JobId taken = submit(client).id;
  int accepted = 0;
  int refused = 0;
  for (int i = 0; i < 100; ++i) {
    store_->submit({client, i % 10 == 0 ? taken : hub::JobId::random(), {}, {}, {}}, home_,
                   [&](const hub::Outcome<hub::Job>& outcome) { ++(outcome ? accepted : refused); });
  }
  home_.run_until([&] { return accepted + refused == 100; });
  EXPECT_EQ(refused, 10);
  EXPECT_EQ(reader_->last_seq(), 91);
}

TEST_F(StoreTest, AFullQueueAnswersOverloadedAndLosesNothing) {
  options_.queue_max = 4;
  open();
  const auto client = principal(make_key("acme"));
  // Another process holds the database, so nothing can be committed meanwhile.
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  int accepted = 0;
  int overloaded = 0;
  for (int i = 0; i < 10; ++i) {
    store_->submit({client, hub::JobId::random(), {}, {}, {}}, home_, [&](const hub::Outcome<hub::Job>& outcome) {
      if (outcome) {
        ++accepted;
      } else {
        EXPECT_EQ(outcome.refusal(), hub::Refusal::overloaded);
        ++overloaded;
      }
    });
  }
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  home_.run_until([&] { return accepted + overloaded == 10; });
  EXPECT_GE(overloaded, 6);
  EXPECT_GE(accepted, 1);
  EXPECT_EQ(reader_->last_seq(), accepted);
}

TEST_F(StoreTest, AListenerThatCameLaterIsToldFromThereOn) {
  open();
  const auto client = principal(make_key("acme"));
  submit(client);
  TestListener later;
  EXPECT_EQ(store_->add(later).last, 1);
  submit(client);
  const auto batches = later.await_batches(1);  // listeners are told one after another
  store_->remove(later);
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0]->after, 1);
  submit(client);
  EXPECT_EQ(later.batches().size(), 1U);
}

TEST_F(StoreTest, AChoreThatFailsBreaksNoBatchUp) {
  options_.keep_deliveries_ms = 1'000;
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make_endpoint(client, "https://a.example/", hub::EventKinds{0x1F}).id;
  submit(client);
  record(attempt_at(endpoint, due(endpoint).at(0).id));
  Connection(path(), Access::write)
      .run("CREATE TRIGGER no BEFORE DELETE ON deliveries BEGIN SELECT RAISE(ABORT, 'a chore fails'); END");
  clock_.now += 3'600'000;
  const auto commits_before = store_->tallies().commits.read();
  constexpr std::size_t each = 50;
  std::size_t answered = 0;
  hub::Submission submission{client, {}, {}, {}, {}};
  home_.gathering = true;
  for (std::size_t i = 0; i < each; ++i) {
    submission.job = hub::JobId::random();
    store_->submit(submission, home_, [&](const hub::Outcome<hub::Job>& outcome) { answered += outcome ? 1U : 0U; });
  }
  store_->hand_over(home_);
  home_.gathering = false;
  home_.run_until([&] { return answered == each; });
  EXPECT_LE(store_->tallies().commits.read() - commits_before, 2U);
}

}  // namespace
}  // namespace carillon::storage::sqlite
