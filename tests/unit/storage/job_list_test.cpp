// Lists of jobs: whose, in which order, that pages stay right while jobs change, and that each costs a bounded time.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;
using hub::Sight;
using Page = hub::Reader::JobPage;

class JobListTest : public StoreTest {
 protected:
  void SetUp() override {
    open();
    client_ = principal(make_key("acme"));
    colleague_ = principal(make_key("acme"));
    other_ = principal(make_key("other"));
  }

  static Sight of_key(const hub::Principal& who) { return {Sight::Of::key, who.account, who.key}; }
  static Sight of_account(const hub::Principal& who) { return {Sight::Of::account, who.account, who.key}; }

  /// A whole list, read in pages.
  std::vector<hub::JobId> ids(Page page) const {
    std::vector<hub::JobId> all;
    for (int pages = 0; pages < 1'000; ++pages) {
      const auto list = reader_->jobs(page);
      EXPECT_LE(list.jobs.size(), page.limit);
      for (const auto& listed : list.jobs) all.push_back(listed.job.id);
      if (!list.next) return all;
      page.before = list.next;
    }
    ADD_FAILURE() << "the list has no end";
    return all;
  }

  hub::Principal client_;
  hub::Principal colleague_;
  hub::Principal other_;
};

TEST_F(JobListTest, IsOfTheSightAloneTheNewestFirst) {
  std::vector<hub::JobId> clients;
  std::vector<hub::JobId> accounts;
  std::vector<hub::JobId> all;
  for (int i = 0; i < 30; ++i) {
    const auto& by = i % 5 == 0 ? client_ : i % 2 == 0 ? colleague_ : other_;
    const hub::JobId id = submit(by).id;
    all.insert(all.begin(), id);
    if (by.account == client_.account) accounts.insert(accounts.begin(), id);
    if (by.key == client_.key) clients.insert(clients.begin(), id);
  }
  for (const std::size_t limit : {1U, 4U, 100U}) {
    EXPECT_EQ(ids({.of = of_key(client_), .status = {}, .before = {}, .limit = limit}), clients);
    EXPECT_EQ(ids({.of = of_account(client_), .status = {}, .before = {}, .limit = limit}), accounts);
    EXPECT_EQ(ids({.of = {}, .status = {}, .before = {}, .limit = limit}), all);
  }
  EXPECT_FALSE(reader_->jobs(Page{.of = of_key(client_), .status = {}, .before = {}, .limit = clients.size()}).next)
      << "a page that is just full is the last";
}

TEST_F(JobListTest, OfAStatusHasThoseThatStandThere) {
  std::vector<hub::JobId> running;
  for (int i = 0; i < 12; ++i) {
    const hub::JobId id = submit(client_).id;
    if (i % 3 != 0) continue;
    ASSERT_TRUE(report(client_, id, JobStatus::running));
    running.insert(running.begin(), id);
  }
  for (const auto& sight : {of_key(client_), of_account(client_), Sight{}}) {
    EXPECT_EQ(ids({.of = sight, .status = JobStatus::running, .before = {}, .limit = 3}), running);
    EXPECT_TRUE(ids({.of = sight, .status = JobStatus::failed, .before = {}, .limit = 3}).empty());
  }
}

TEST_F(JobListTest, PagesStayRightWhileJobsComeAndChange) {
  std::vector<hub::JobId> before;
  for (int i = 0; i < 9; ++i) before.insert(before.begin(), submit(client_).id);
  const auto first = reader_->jobs(Page{.of = of_key(client_), .status = {}, .before = {}, .limit = 4});
  ASSERT_TRUE(first.next);
  submit(client_);
  ASSERT_TRUE(report(client_, before[0], JobStatus::running));
  ASSERT_TRUE(report(client_, before[6], JobStatus::running));
  const auto rest = ids({.of = of_key(client_), .status = {}, .before = first.next, .limit = 4});
  EXPECT_EQ(rest, std::vector<hub::JobId>(before.begin() + 4, before.end()));
}

TEST_F(JobListTest, LooksAtNoMoreThanItMayAndGoesOnFromThere) {
  const hub::JobId oldest = submit(client_).id;
  ASSERT_TRUE(report(client_, oldest, JobStatus::running));
  for (int i = 0; i < 25; ++i) submit(client_);
  for (const auto& sight : {of_key(client_), Sight{}}) {
    const Page page{.of = sight, .status = JobStatus::running, .before = {}, .limit = 5, .looked_at_max = 10};
    const auto list = reader_->jobs(page);
    EXPECT_TRUE(list.jobs.empty());
    ASSERT_TRUE(list.next);
    EXPECT_EQ(ids(page), std::vector<hub::JobId>{oldest});
  }
}

TEST_F(JobListTest, ManyOfOthersArePassedByTheBlock) {
  const hub::JobId first = submit(client_).id;
  close();
  {
    // As if 6,000,000 jobs of others lay between, of which only the last is there.
    Connection connection(path(), Access::write);
    connection.run(
        "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook_events) VALUES (6000000, zeroblob(16), 5, "
        "5, 1, 0)");
    connection.run("INSERT INTO job_states (n, status, seq, updated_at, progress) VALUES (6000000, 0, 1, 1, 0)");
  }
  open();
  const hub::JobId last = submit(client_).id;
  const auto list = reader_->jobs(Page{.of = of_key(client_), .status = {}, .before = {}, .limit = 5});
  ASSERT_EQ(list.jobs.size(), 1U);
  ASSERT_TRUE(list.next) << "a thousand blocks are enough for once";
  EXPECT_EQ(ids({.of = of_key(client_), .status = {}, .before = {}, .limit = 5}),
            (std::vector<hub::JobId>{last, first}));
}

TEST_F(JobListTest, ResultsThatHaveNoRoomAreLeftOut) {
  std::vector<hub::JobId> jobs;
  for (int i = 0; i < 4; ++i) {
    jobs.push_back(submit(client_).id);
    ASSERT_TRUE(report(client_, jobs.back(), JobStatus::running));
    if (i == 3) continue;
    ASSERT_TRUE(report({client_, jobs.back(), JobStatus::succeeded, hub::make_text("[1,2,3]"), {}, {}}));
  }
  const auto some = reader_->jobs(of_key(client_), jobs, 8);
  ASSERT_EQ(some.size(), 4U);
  EXPECT_EQ(*some[0].job.result, "[1,2,3]");
  EXPECT_EQ(*some[1].job.result, "[1,2,3]") << "the one that passes it";
  EXPECT_FALSE(some[1].result_left_out);
  EXPECT_EQ(some[2].job.result, nullptr);
  EXPECT_TRUE(some[2].result_left_out);
  EXPECT_FALSE(some[3].result_left_out) << "it has none";
  const auto list = reader_->jobs(
      Page{.of = {}, .status = {}, .before = {}, .limit = 10, .looked_at_max = 10, .result_bytes_max = 1});
  EXPECT_FALSE(list.jobs[1].result_left_out);
  EXPECT_TRUE(list.jobs[2].result_left_out);
  EXPECT_TRUE(list.jobs[3].result_left_out);
}

TEST_F(JobListTest, SomeAreThoseThatThereAreAsAskedFor) {
  const hub::JobId one = submit(client_).id;
  const hub::JobId two = submit(other_).id;
  const auto some = reader_->jobs({}, {two, hub::JobId::random(), one}, 100);
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(some[0].job.id, two);
  EXPECT_EQ(some[1].job.id, one);
  EXPECT_EQ(reader_->jobs(of_key(client_), {two, one}, 100).size(), 1U);
}

// Nor does anything of the answer say that they are there.
TEST_F(JobListTest, JobsOfOthersTakeNoRoom) {
  std::vector<hub::JobId> jobs;
  for (const auto& by : {other_, client_}) {
    jobs.push_back(submit(by).id);
    ASSERT_TRUE(report(by, jobs.back(), JobStatus::running));
    ASSERT_TRUE(report({by, jobs.back(), JobStatus::succeeded, hub::make_text("[1,2,3]"), {}, {}}));
  }
  const auto some = reader_->jobs(of_key(client_), jobs, 1);
  ASSERT_EQ(some.size(), 1U);
  EXPECT_EQ(*some[0].job.result, "[1,2,3]");
}

TEST_F(JobListTest, ErasedJobsCountAmongThoseThatAreLookedAt) {
  const hub::JobId oldest = submit(client_).id;
  for (int i = 0; i < 10; ++i) {
    const hub::JobId id = submit(client_).id;
    ASSERT_TRUE(report(client_, id, hub::JobStatus::failed));
    ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->erase_job(client_, id, home_, then); }));
  }
  const hub::JobId newest = submit(client_).id;
  Page page{.of = of_key(client_), .status = {}, .before = {}, .limit = 5, .looked_at_max = 4};
  const auto list = reader_->jobs(page);
  EXPECT_EQ(list.jobs.size(), 1U);
  EXPECT_TRUE(list.next) << "it stops looking, and says where it goes on";
  EXPECT_EQ(ids(page), (std::vector{newest, oldest}));
}

}  // namespace
}  // namespace carillon::storage::sqlite
