#include "storage/sqlite/migrations.h"

#include <fstream>
#include <iterator>

#include "storage/sqlite/reader.h"
#include "storage/sqlite/statement.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

class MigrationsTest : public StoreTest {
 protected:
  void run(const std::vector<Migration>& migrations) {
    Connection connection(path(), Access::write);
    migrate(connection, migrations, clock_);
  }
  std::string failure_of(const std::vector<Migration>& migrations) {
    try {
      run(migrations);
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  }
  int tables() {
    Connection connection(path(), Access::read);
    Statement query(connection.handle(), "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')");
    query.step();
    return static_cast<int>(query.integer(0));
  }

  const Migration a_{1, "0001_a", "CREATE TABLE a (x)"};
  const Migration b_{2, "0002_b", "CREATE TABLE b (x)"};
};

TEST_F(MigrationsTest, EachIsAppliedOnceInOrder) {
  run({a_});
  EXPECT_EQ(tables(), 1);
  run({a_, b_});
  run({a_, b_});
  EXPECT_EQ(tables(), 2);
}

TEST_F(MigrationsTest, ALaterDatabaseIsRefused) {
  run({a_, b_});
  EXPECT_THAT(failure_of({a_}), ::testing::HasSubstr("the database has schema 2, this program knows up to 1"));
}

TEST_F(MigrationsTest, AChangedMigrationIsRefused) {
  run({a_});
  EXPECT_THAT(failure_of({{1, "0001_a", "CREATE TABLE a (y)"}, b_}),
              ::testing::HasSubstr("migration 0001_a is not the one"));
  EXPECT_EQ(tables(), 1);
}

TEST_F(MigrationsTest, AFailingMigrationLeavesNothingBehind) {
  const Migration broken{2, "0002_broken", "CREATE TABLE b (x); CREATE TABLE a (x)"};
  EXPECT_THAT(failure_of({a_, broken}), ::testing::HasSubstr("migration 0002_broken failed"));
  EXPECT_EQ(tables(), 1);
}

// Number 2 on a database with a history: jobs 1, 2 and 3, whose events are mixed.
TEST_F(MigrationsTest, EventsOfOldAreLinkedToTheOnesBeforeThem) {
  const Migration first = known_migrations().front();
  ASSERT_EQ(first.name, "0001_the_road");
  run({first});
  {
    Connection connection(path(), Access::write);
    connection.run(
        "INSERT INTO events (seq, job, kind, status, at, progress) VALUES (3, 1, 0, 0, 100, NULL), (4, 2, 0, 0, 101, "
        "NULL),"
        " (5, 1, 1, 1, 102, '{\"at\":1}'), (7, 1, 2, 1, 103, '2'), (8, 3, 0, 0, 104, NULL), (9, 2, 4, 3, 105, NULL)");
  }
  run(known_migrations());
  Connection connection(path(), Access::read);
  Statement query(connection.handle(),
                  "SELECT seq, job, kind, status, at, previous, progress FROM events ORDER BY seq");
  std::string rows;
  while (query.step()) {
    for (int column = 0; column < 6; ++column) rows += std::to_string(query.integer(column)) + ' ';
    rows += std::string(query.text(6)) + '\n';
  }
  EXPECT_EQ(rows,
            "3 1 0 0 100 0 \n"
            "4 2 0 0 101 0 \n"
            "5 1 1 1 102 3 {\"at\":1}\n"
            "7 1 2 1 103 5 2\n"
            "8 3 0 0 104 0 \n"
            "9 2 4 3 105 4 \n");
}

// Number 3: a job that runs, one that has succeeded, and one that waits.
TEST_F(MigrationsTest, JobsOfOldStandWhereTheyStood) {
  auto before = known_migrations();
  before.resize(2);
  ASSERT_EQ(before.back().name, "0002_the_event_before");
  run(before);
  {
    Connection connection(path(), Access::write);
    connection.run(
        "INSERT INTO jobs (n, id, owner_key, owner_account, status, seq, created_at, updated_at, hook, hook_events, "
        "progress, metadata, error, result) VALUES "
        "(1, x'00000000000000000000000000000001', 7, 8, 1, 5, 100, 103, NULL, 0, '{\"at\":2}', '{\"a\":1}', NULL, "
        "NULL),"
        "(2, x'00000000000000000000000000000002', 7, 8, 2, 6, 101, 104, 9, 24, '1', NULL, NULL, '{\"pages\":12}'),"
        "(3, x'00000000000000000000000000000003', 7, 8, 0, 7, 102, 102, NULL, 0, NULL, NULL, NULL, NULL)");
    connection.run(
        "INSERT INTO events (seq, job, kind, status, at, previous, progress) VALUES (1, 1, 0, 0, 100, 0, NULL), "
        "(2, 2, 0, 0, 101, 0, NULL), (3, 2, 1, 1, 101, 2, '1'), (4, 1, 1, 1, 102, 1, '{\"at\":1}'), "
        "(5, 1, 2, 1, 103, 4, '{\"at\":2}'), (6, 2, 3, 2, 104, 3, NULL), (7, 3, 0, 0, 102, 0, NULL)");
  }
  run(known_migrations());
  const auto reader = open_reader(path(), clock_, SecretBox::plain());
  const auto job = [&](std::uint8_t last) {
    return reader->find_job(hub::JobId{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last}});
  };
  ASSERT_TRUE(job(1) && job(2) && job(3));
  EXPECT_EQ(job(1)->status, hub::JobStatus::running);
  EXPECT_EQ(job(1)->seq, 5);
  EXPECT_EQ(job(1)->created_at, 100);
  EXPECT_EQ(job(1)->updated_at, 103);
  EXPECT_EQ(*job(1)->progress, "{\"at\":2}");
  EXPECT_EQ(*job(1)->metadata, "{\"a\":1}");
  EXPECT_EQ(job(2)->status, hub::JobStatus::succeeded);
  EXPECT_EQ(*job(2)->result, "{\"pages\":12}");
  EXPECT_EQ(*job(2)->progress, "1");
  EXPECT_EQ(job(2)->owner.account, hub::AccountId{8});
  EXPECT_EQ(job(3)->status, hub::JobStatus::queued);
  EXPECT_FALSE(job(3)->progress);
}

// Number 4: endpoints, registered and for jobs, with secrets of their own and with their account's; deliveries in every
// state, with attempts, of endpoints that are there, disabled and gone.
TEST_F(MigrationsTest, WebhooksOfOldGoOnAsTheyWere) {
  auto before = known_migrations();
  before.resize(3);
  ASSERT_EQ(before.back().name, "0003_where_jobs_stand");
  run(before);
  const std::string registered = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  const std::string accounts = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
  const std::string own = "whsec_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";
  {
    Connection connection(path(), Access::write);
    connection.run("INSERT INTO accounts (id, name, status, created_at) VALUES (8, 'acme', 0, 1), (9, 'other', 0, 1)");
    connection.run(
        "INSERT INTO api_keys (id, account, role, status, name, created_at, hash) VALUES (7, 8, 0, 0, '', 1, "
        "x'01')");
    connection.run(
        "INSERT INTO webhook_endpoints (id, owner_key, owner_account, for_jobs, url, description, events, status, "
        "disabled_reason, created_at, failing_since) VALUES "
        "(1, 7, 8, 0, 'https://a.example/1', 'one', 24, 0, '', 100, 90), "
        "(2, 7, 8, 1, 'https://a.example/2', '', 24, 0, '', 100, NULL), "
        "(3, 7, 8, 1, 'https://a.example/2', '', 24, 0, '', 100, NULL), "
        "(4, 7, 8, 0, 'https://a.example/4', '', 24, 1, 'It answered 410.', 100, 90)");
    connection.run("INSERT INTO webhook_secrets (endpoint, account, secret, created_at) VALUES (1, NULL, '" +
                   registered + "', 100), (NULL, 8, '" + accounts + "', 100), (2, NULL, '" + accounts +
                   "', 100), (3, NULL, '" + own + "', 100), (4, NULL, '" + registered + "', 100)");
    connection.run(
        "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook, hook_events) VALUES "
        "(1, x'00000000000000000000000000000001', 7, 8, 100, 2, 24)");
    connection.run("INSERT INTO job_states (n, status, seq, updated_at, progress) VALUES (1, 3, 2, 103, 0)");
    connection.run(
        "INSERT INTO events (seq, job, kind, status, at, previous) VALUES (1, 1, 0, 0, 100, 0), (2, 1, 4, 3, 103, 1)");
    connection.run(
        "INSERT INTO deliveries (id, endpoint, event, message, state, attempts, due_at) VALUES "
        "(1, 1, 2, x'00112233445566778899aabbccddeeff', 0, 2, 500), (2, 2, 2, zeroblob(16), 1, 1, 0), "
        "(3, 1, 2, zeroblob(16), 2, 0, 400), (4, 5, 2, zeroblob(16), 2, 1, 0), (5, 4, 2, zeroblob(16), 2, 0, 0)");
    connection.run(
        "INSERT INTO attempts (delivery, started_at, duration_ms, http_status, error, response) VALUES "
        "(1, 104, 7, 500, '', 'no'), (2, 104, 7, 200, '', ''), (1, 105, 8, 0, 'refused', ''), (4, 106, 1, 500, '', "
        "''), "
        "(3, 107, 1, 500, '', '')");
  }
  options_.keep_deliveries_ms = 0;  // they are of 1970
  open();
  const auto endpoint = *reader_->find_endpoint({1});
  EXPECT_EQ(endpoint.description, "one");
  EXPECT_EQ(endpoint.failing_since, 90);
  EXPECT_EQ(endpoint.signing, hub::Signing::hmac);
  EXPECT_FALSE(endpoint.ordered || endpoint.held_until || endpoint.max_per_second != 0);
  EXPECT_TRUE(endpoint.headers.empty() && endpoint.public_key.empty() && endpoint.legacy_signature.empty());
  EXPECT_EQ(reader_->find_endpoint({4})->disabled_reason, "It answered 410.");
  EXPECT_EQ(secret_of({1}), registered);
  EXPECT_EQ(secret_of({2}), accounts);
  EXPECT_EQ(secret_of({3}), own);
  EXPECT_EQ(count("SELECT count(*) FROM webhook_secrets"), 4) << "no copies of the account's";
  std::string files;
  for (const char* suffix : {"", "-wal"}) {
    std::ifstream in(path() + suffix, std::ios::binary);
    files.append(std::istreambuf_iterator<char>(in), {});
  }
  for (const auto& secret : {registered, accounts, own}) EXPECT_EQ(files.find(secret), std::string::npos) << secret;

  ASSERT_EQ(due({1}).size(), 1U);
  const auto delivery = due({1})[0];
  EXPECT_EQ(delivery.tries, 2);
  EXPECT_EQ(delivery.message[15], 0xFF);
  EXPECT_EQ(delivery.event->seq, 2);
  EXPECT_EQ(pending(), 1U);
  EXPECT_EQ(reader_->find_delivery_report({1})->created_at, 103) << "when its event was";
  EXPECT_EQ(reader_->find_delivery_report({2})->state, hub::DeliveryState::delivered);
  const auto attempts = reader_->attempts_at({1}, 10);
  ASSERT_EQ(attempts.size(), 2U);
  EXPECT_EQ(attempts[0].response, "no");
  EXPECT_EQ(attempts[1].number, 2);
  EXPECT_EQ(attempts[1].error, "refused");
  EXPECT_EQ(reader_->find_delivery_report({3})->attempts, 1) << "an attempt that had not been counted is";
  await([&] { return count("SELECT count(*) FROM deliveries WHERE endpoint = 5") == 0; });
  EXPECT_EQ(count("SELECT count(*) FROM attempts WHERE delivery = 4"), 0);

  // Submissions find their endpoints again.
  const hub::Principal client{{7}, {8}, hub::Role::client};
  for (const auto& [secret, id] : {std::pair{std::string(), 2}, std::pair{own, 3}}) {
    const hub::Submission submission{
        client, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/2", hub::final_events, secret}};
    ASSERT_TRUE(submit(submission));
    ASSERT_TRUE(report(client, submission.job, hub::JobStatus::failed));
    EXPECT_EQ(home_.batches().back()->deliveries.back().endpoint, hub::EndpointId{id});
  }
  record(attempt_at({1}, {1}));
  EXPECT_EQ(reader_->attempts_at({1}, 10).size(), 3U);
}

TEST_F(MigrationsTest, TheStoreNamesTheFileItCannotOpen) {
  options_.path = (folder_ / "no" / "such.db").string();
  rules_.emplace(hub::Ownership(hub::OwnershipScope::key));
  try {
    open_store(options_, *rules_, clock_);
    FAIL() << "it opened";
  } catch (const hub::StoreError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr(options_.path));
  }
}

// Number 5: events of jobs of two owners, and one of no job, far apart.
TEST_F(MigrationsTest, EventsOfOldKnowTheirOwners) {
  auto before = known_migrations();
  before.resize(4);
  ASSERT_EQ(before.back().name, "0004_webhooks");
  run(before);
  {
    Connection connection(path(), Access::write);
    connection.run(
        "INSERT INTO jobs (n, id, owner_key, owner_account, created_at, hook_events) VALUES "
        "(1, x'00000000000000000000000000000001', 7, 8, 100, 0), (2, x'00000000000000000000000000000002', 9, 8, 100, "
        "0)");
    connection.run(
        "INSERT INTO job_states (n, status, seq, updated_at, progress) VALUES (1, 1, 9000, 1, 0), (2, 0, 2, 1, 0)");
    connection.run(
        "INSERT INTO events (seq, job, kind, status, at, previous, progress) VALUES (1, 1, 0, 0, 100, 0, NULL), "
        "(2, 2, 0, 0, 101, 0, NULL), (70, 0, 5, 0, 101, 0, NULL), (9000, 1, 1, 1, 102, 1, '{\"at\":1}')");
    connection.run("INSERT INTO owner_events (seq, owner_key, owner_account, data) VALUES (70, 7, 8, '{}')");
  }
  run(known_migrations());
  const auto reader = open_reader(path(), clock_, SecretBox::plain());
  const auto numbers = [&](const hub::Sight& sight) {
    std::vector<hub::Seq> all;
    for (const auto& event : reader->feed({.of = sight}).events) all.push_back(event->seq);
    return all;
  };
  using Of = hub::Sight::Of;
  EXPECT_EQ(numbers({}), (std::vector<hub::Seq>{1, 2, 70, 9000}));
  EXPECT_EQ(numbers({Of::account, {8}, {}}), (std::vector<hub::Seq>{1, 2, 70, 9000}));
  EXPECT_EQ(numbers({Of::key, {8}, {7}}), (std::vector<hub::Seq>{1, 70, 9000}));
  EXPECT_EQ(numbers({Of::key, {8}, {9}}), (std::vector<hub::Seq>{2}));
  EXPECT_EQ(reader->jobs(hub::Reader::JobPage{.of = {Of::key, {8}, {9}}, .status = {}, .before = {}}).jobs.size(), 1U);
  EXPECT_EQ(*reader->feed({.of = {}, .after = 70}).events.at(0)->progress, "{\"at\":1}");
}

}  // namespace
}  // namespace carillon::storage::sqlite
