// Submissions under an idempotency key: made once, however often they come.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::Refusal;

constexpr hub::UnixMs day_ms = 24LL * 60 * 60 * 1'000;

class SubmittedOnceTest : public StoreTest {
 protected:
  SubmittedOnceTest() {
    open();
    client_ = principal(make_key("acme"));
  }

  hub::Outcome<hub::Submitted> submit_once(const std::string& key, std::string_view body = "{}",
                                           std::optional<hub::Principal> by = {},
                                           hub::JobId job = hub::JobId::random()) {
    const hub::Submission submission{by.value_or(client_), job, {}, hub::make_text(R"({"a":1})"), {}};
    return ask<hub::Submitted>([&](auto then) {
      store_->submit_once(submission, {key, hub::sha256(body)}, home_, then);
    });
  }
  std::int64_t keys() const { return count("SELECT count(*) FROM idempotency_keys"); }

  hub::Principal client_;
};

TEST_F(SubmittedOnceTest, TheSameAgainIsGivenTheFirstAnswerAndIsNoEvent) {
  const auto first = submit_once("k");
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->replayed);
  ASSERT_TRUE(report(client_, first->job.id, hub::JobStatus::running));
  clock_.now += 1'000;
  const auto again = submit_once("k");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  const hub::Job& job = again->job;
  EXPECT_EQ(job.id, first->job.id);
  EXPECT_EQ(job.status, hub::JobStatus::queued) << "as it was then";
  EXPECT_EQ(job.seq, first->job.seq);
  EXPECT_EQ(job.created_at, first->job.created_at);
  EXPECT_EQ(job.updated_at, first->job.updated_at);
  EXPECT_EQ(*job.metadata, R"({"a":1})");
  EXPECT_EQ(job.owner.key, client_.key);
  EXPECT_EQ(reader_->last_seq(), 2);
}

TEST_F(SubmittedOnceTest, AnotherBodyIsRefused) {
  submit_once("k");
  EXPECT_EQ(submit_once("k", "{ }").refusal(), Refusal::key_reused);
  EXPECT_EQ(reader_->last_seq(), 1);
}

TEST_F(SubmittedOnceTest, AKeyIsItsCallersOwn) {
  const auto other = principal(make_key("acme"));
  const auto first = submit_once("k");
  const auto second = submit_once("k", "{}", other);
  EXPECT_FALSE(second->replayed);
  EXPECT_NE(first->job.id, second->job.id);
}

TEST_F(SubmittedOnceTest, ARefusedSubmissionLeavesTheKeyFree) {
  const hub::JobId taken = submit(client_).id;
  EXPECT_EQ(submit_once("k", "{}", {}, taken).refusal(), Refusal::already_exists);
  const auto then = submit_once("k", "other");
  ASSERT_TRUE(then);
  EXPECT_FALSE(then->replayed);
}

TEST_F(SubmittedOnceTest, IsKnownAfterARestart) {
  const auto first = submit_once("k");
  close();
  open();
  EXPECT_EQ(submit_once("k")->job.id, first->job.id);
}

TEST_F(SubmittedOnceTest, TwoInOneCommitAreOneJob) {
  std::vector<hub::Submitted> made;
  for (int i = 0; i < 20; ++i) {
    const hub::Submission submission{client_, hub::JobId::random(), {}, {}, {}};
    store_->submit_once(submission, {"k", {}}, home_,
                        [&](const hub::Outcome<hub::Submitted>& outcome) { made.push_back(*outcome); });
  }
  home_.run_until([&] { return made.size() == 20; });
  EXPECT_EQ(std::count_if(made.begin(), made.end(), [](const auto& one) { return one.replayed; }), 19);
  EXPECT_EQ(reader_->last_seq(), 1);
}

TEST_F(SubmittedOnceTest, AfterItsTimeAKeyIsFreeAndErased) {
  const auto first = submit_once("k");
  int others = 0;
  for (int i = 0; i < 1'200; ++i) {
    store_->submit_once({client_, hub::JobId::random(), {}, {}, {}}, {std::to_string(i), {}}, home_,
                        [&](const hub::Outcome<hub::Submitted>&) { ++others; });
  }
  home_.run_until([&] { return others == 1'200; });
  clock_.now += day_ms - 1;
  EXPECT_TRUE(submit_once("k")->replayed);
  clock_.now += 1;
  const auto anew = submit_once("k", "something else");
  ASSERT_TRUE(anew);
  EXPECT_FALSE(anew->replayed);
  EXPECT_NE(anew->job.id, first->job.id);
  await([&] {
    submit(client_);
    clock_.now += 5'000;
    return keys() == 1;
  });
  EXPECT_TRUE(submit_once("k", "something else")->replayed);
}

TEST_F(SubmittedOnceTest, TheMetadataOfAnErasedJobIsGoneFromTheAnswerToo) {
  const auto first = submit_once("k");
  ASSERT_TRUE(report(client_, first->job.id, hub::JobStatus::failed));
  ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->erase_job(client_, first->job.id, home_, then); }));
  const auto again = submit_once("k");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(again->job.id, first->job.id);
  EXPECT_EQ(again->job.metadata, nullptr);
}

}  // namespace
}  // namespace carillon::storage::sqlite
