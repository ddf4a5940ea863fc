// A database of every earlier version, filled as that version would have filled it, is brought up to date with a backup
// first, and is right.
#include "storage/sqlite/upgrade.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "storage/sqlite/backup.h"
#include "storage/sqlite/database_file.h"
#include "tests/unit/storage/old_databases.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

namespace fs = std::filesystem;

class UpgradeTest : public StoreTest {
 protected:
  /// As the version with so many migrations would have left it.
  void make(int number) {
    Connection connection(path(), Access::write);
    make_old_database(connection, number, clock_);
  }
  std::vector<std::string> backups() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      const std::string name = entry.path().filename().string();
      if (name.find(".before-") != std::string::npos) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  std::string failure() {
    try {
      open();
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  }
};

class EveryVersion : public UpgradeTest, public ::testing::WithParamInterface<int> {};

TEST_P(EveryVersion, OpensAndIsRight) {
  make(GetParam());
  std::optional<Upgrade> told;
  options_.on_upgrade = [&](const Upgrade& upgrade) { told = upgrade; };
  open();
  ASSERT_TRUE(told);
  EXPECT_EQ(told->from, GetParam());
  EXPECT_EQ(told->to, static_cast<int>(known_migrations().size()));
  EXPECT_EQ(read_schema(told->backup).number(), GetParam()) << "as it was before";

  // Jobs, where they stood.
  const auto running = reader_->find_job(old_job(1));
  const auto succeeded = reader_->find_job(old_job(2));
  const auto queued = reader_->find_job(old_job(3));
  ASSERT_TRUE(running && succeeded && queued);
  EXPECT_EQ(running->status, hub::JobStatus::running);
  EXPECT_EQ(running->seq, 6);
  EXPECT_EQ(*running->progress, R"({"at":2})");
  EXPECT_EQ(*running->metadata, R"({"a":1})");
  EXPECT_EQ(succeeded->status, hub::JobStatus::succeeded);
  EXPECT_EQ(*succeeded->result, R"({"pages":12})");
  EXPECT_EQ(queued->status, hub::JobStatus::queued);
  EXPECT_EQ(queued->owner.key, hub::KeyId{9});

  // Their history, of each and of all; and by whom it may be seen.
  EXPECT_EQ(reader_->history(old_job(1), {}, 10)->events.size(), 4U);
  const auto since = reader_->find_job_since(old_job(1), 1, {});
  ASSERT_TRUE(since->missed.complete);
  EXPECT_EQ(since->missed.events.size(), 3U);
  EXPECT_EQ(reader_->feed({}).events.size(), 7U);
  EXPECT_EQ(reader_->feed({.of = {hub::Sight::Of::key, {8}, {9}}}).events.size(), 1U);
  EXPECT_EQ(reader_->last_seq(), 7);
  EXPECT_FALSE(reader_->epoch().empty());

  // Accounts and keys.
  ASSERT_TRUE(reader_->find_account("acme"));
  EXPECT_EQ(reader_->keys({.account = {}, .role = {}, .name = {}, .after = {}}).size(), 3U);

  // Webhooks: endpoints, their secrets, what is owed and what was tried.
  ASSERT_TRUE(reader_->find_endpoint({1}));
  EXPECT_EQ(secret_of({1}), old_secret);
  ASSERT_EQ(due({1}).size(), 1U);
  EXPECT_EQ(due({1})[0].event->job, old_job(2));
  EXPECT_EQ(*due({1})[0].event->result, R"({"pages":12})");
  EXPECT_EQ(due({1})[0].tries, 1);
  EXPECT_EQ(reader_->attempts_at({1}, 10).size(), 1U);
  EXPECT_EQ(reader_->find_delivery_report({2})->state, hub::DeliveryState::delivered);

  // And it goes on.
  const hub::Principal client{{7}, {8}, hub::Role::client};
  ASSERT_TRUE(report(client, old_job(1), hub::JobStatus::succeeded));
  EXPECT_EQ(submit(client).seq, 9);
  record(attempt_at({1}, {1}));
  EXPECT_EQ(submit(hub::Submission{client, old_job(2), {}, {}, {}}).refusal(), hub::Refusal::already_exists);
  close();
  told.reset();
  open();
  EXPECT_FALSE(told) << "once";
}

TEST_P(EveryVersion, TheBackupBringsTheVersionBeforeBack) {
  make(GetParam());
  std::string before;
  {
    Connection connection(path(), Access::read);
    before = dump(connection.handle());
  }
  std::string backup;
  options_.on_upgrade = [&](const Upgrade& upgrade) { backup = upgrade.backup; };
  open();
  const DatabaseFile kept(backup, DatabaseFile::Use::look);
  EXPECT_EQ(dump(kept.handle()), before);
}

TEST_P(EveryVersion, NothingThatIsOldIsOldEnoughToGoAtOnce) {
  make(GetParam());
  open();
  for (int i = 0; i < 5; ++i) {
    clock_.now += 6'000;
    make_key("acme");
  }
  EXPECT_EQ(count("SELECT count(*) FROM jobs"), 3);
  EXPECT_EQ(count("SELECT count(*) FROM events"), 7);
}

INSTANTIATE_TEST_SUITE_P(Migrations, EveryVersion, ::testing::Range(1, static_cast<int>(known_migrations().size())));

TEST_F(UpgradeTest, OfWhatHoldsNothingNoBackupIsMade) {
  open();
  close();
  EXPECT_TRUE(backups().empty()) << "a new one";
  fs::remove(path());
  {
    Connection connection(path(), Access::write);
    auto migrations = known_migrations();
    migrations.resize(3);
    migrate(connection, migrations, clock_);
  }
  open();
  EXPECT_TRUE(backups().empty()) << "an empty one";
}

TEST_F(UpgradeTest, TheLastFewBackupsAreKept) {
  for (const char* number : {"0001", "0002", "0003", "0004"}) {
    std::ofstream(path() + ".before-" + number) << "an earlier one";
  }
  std::ofstream(path() + ".before-christmas") << "another's";
  make(6);
  open();
  EXPECT_EQ(backups(), (std::vector<std::string>{"carillon.db.before-0003", "carillon.db.before-0004",
                                                 "carillon.db.before-0007", "carillon.db.before-christmas"}));
}

TEST_F(UpgradeTest, WithoutRoomForTheBackupTheStartIsRefusedAndNothingIsChanged) {
  make(6);
  {
    Connection connection(path(), Access::write);
    connection.run("UPDATE jobs SET result = '\"' || hex(zeroblob(1000000)) || '\"' WHERE n = 2");
    connection.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limited{1'000'000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limited);
  const std::string why = failure();
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(why, ::testing::HasSubstr("has to be brought from schema 6 to "));
  EXPECT_THAT(why, ::testing::HasSubstr("nothing was changed"));
  EXPECT_EQ(read_schema(path()).number(), 6);
  EXPECT_TRUE(backups().empty());
  EXPECT_FALSE(fs::exists(path() + ".before-0007.partial"));
  open();
  EXPECT_EQ(backups().size(), 1U);
}

TEST_F(UpgradeTest, WhereAMigrationFailsNothingIsChangedAndNoBackupIsLeft) {
  make(6);
  auto migrations = known_migrations();
  migrations.resize(6);
  migrations.push_back({7, "0007_broken", "CREATE TABLE jobs (x)"});
  Connection connection(path(), Access::write);
  EXPECT_THROW(upgrade(connection, path(), migrations, clock_, {}), hub::StoreError);
  EXPECT_TRUE(backups().empty());
  EXPECT_EQ(schema_of(connection.handle(), migrations).number(), 6);
}

TEST_F(UpgradeTest, ADatabaseOfSomethingElseIsNotTouched) {
  {
    Connection connection(path(), Access::write);
    connection.run("CREATE TABLE contacts (name)");
  }
  EXPECT_THAT(failure(), ::testing::HasSubstr("none of Carillon's"));
  EXPECT_EQ(count("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST_F(UpgradeTest, ALaterOneIsRefusedWithBothNumbersAndWhatToDo) {
  open();
  close();
  Connection(path(), Access::write).run("INSERT INTO schema_migrations VALUES (1000, '1000_later', '', 0)");
  EXPECT_THAT(failure(), ::testing::AllOf(::testing::HasSubstr("has schema 1000, this program knows up to "),
                                          ::testing::HasSubstr("install that one, or restore a backup")));
}

}  // namespace
}  // namespace carillon::storage::sqlite
