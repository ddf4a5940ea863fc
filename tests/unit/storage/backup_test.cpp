#include "storage/sqlite/backup.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "storage/sqlite/database_file.h"
#include "storage/sqlite/migrations.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

class BackupTest : public StoreTest {
 protected:
  BackupTest() {
    open();
    client_ = principal(make_key("acme"));
  }

  std::string file() const { return (folder_ / "backup.db").string(); }
  DatabaseFacts back_up(const Progress& progress = {}, NewFile::Existing existing = NewFile::Existing::refused) {
    return sqlite::back_up(path(), file(), existing, progress);
  }
  std::int64_t count_in(const std::string& name, const std::string& sql) const {
    const DatabaseFile database(name, DatabaseFile::Use::look);
    Statement query(database.handle(), sql);
    return query.step() ? query.integer(0) : -1;
  }
  /// Some megabytes.
  void fill() {
    const auto result = hub::make_text("\"" + std::string(100'000, 'x') + "\"");
    for (int i = 0; i < 50; ++i) {
      const hub::JobId job = submit(client_).id;
      ASSERT_TRUE(report(client_, job, hub::JobStatus::running));
      ASSERT_TRUE(report({client_, job, hub::JobStatus::succeeded, result, {}, {}}));
    }
  }

  hub::Principal client_;
};

TEST_F(BackupTest, IsTheDatabaseAsItStandsWhileItIsInUse) {
  fill();
  const DatabaseFacts facts = back_up();
  EXPECT_EQ(facts.bytes, bytes_of_file(file()));
  EXPECT_EQ(facts.schema, static_cast<int>(known_migrations().size()));
  EXPECT_EQ(facts.secrets_key_id, "");
  EXPECT_EQ(count_in(file(), "SELECT count(*) FROM jobs"), 50);
  EXPECT_FALSE(std::filesystem::exists(file() + "-wal") || std::filesystem::exists(file() + ".partial"));
  submit(client_);
}

TEST_F(BackupTest, WhatIsCommittedMeanwhileIsNotInItAndDoesNotMakeItBeginAnew) {
  fill();
  std::uint64_t last = 0;
  int calls = 0;
  back_up([&](std::string_view what, std::uint64_t done, std::uint64_t) {
    if (what != "copying") return;
    if (done <= last) throw hub::StoreError("it began anew");  // and would for ever
    last = done;
    ++calls;
    submit(client_);
  });
  EXPECT_GT(calls, 10);
  EXPECT_EQ(count_in(file(), "SELECT count(*) FROM jobs"), 50);
  EXPECT_EQ(count("SELECT count(*) FROM jobs"), 50 + calls);
}

TEST_F(BackupTest, SaysWhichKeyItNeeds) {
  make_endpoint(client_, "https://a.example/hook");
  EXPECT_EQ(back_up().secrets_key_id, SecretBox::with_key_in((folder_ / "webhook-secrets.key").string()).key_id());
}

TEST_F(BackupTest, AFileThatIsThereIsRefusedAndReplacedOnRequest) {
  std::ofstream(file()) << "precious";
  EXPECT_THROW(back_up(), hub::StoreError);
  EXPECT_EQ(read_small_file(file()), "precious");
  back_up({}, NewFile::Existing::replaced);
  EXPECT_EQ(count_in(file(), "SELECT count(*) FROM accounts"), 1);
}

TEST_F(BackupTest, WhereThereIsNoRoomNothingIsLeft) {
  fill();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limited{1'000'000, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limited);
  std::string why;
  try {
    back_up();
  } catch (const hub::StoreError& error) {
    why = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(why, ::testing::HasSubstr("backup.db' cannot be written"));
  EXPECT_FALSE(std::filesystem::exists(file()) || std::filesystem::exists(file() + ".partial"));
}

TEST_F(BackupTest, ADamagedDatabaseIsFoundOutAndNoBackupOfItIsMade) {
  fill();
  close();
  {
    std::fstream database(path(), std::ios::in | std::ios::out | std::ios::binary);
    database.seekp(4096);
    database << std::string(4096, '\x5A');
  }
  EXPECT_THROW(back_up(), hub::StoreError);
  EXPECT_FALSE(std::filesystem::exists(file()));
}

TEST_F(BackupTest, WhatIsNoBackupIsNotTakenForOne) {
  const auto why = [](const std::string& name) -> std::string {
    try {
      examine(name, {});
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  };
  const std::string name = (folder_ / "what? 100%#.db").string();
  EXPECT_THAT(why(name), ::testing::HasSubstr("is no file"));
  std::ofstream(name) << "words, and enough of them that they could be the head of a database, if they were others: "
                         "a hundred bytes and more";
  EXPECT_THAT(why(name), ::testing::HasSubstr("is no database"));
  std::ofstream(name, std::ios::trunc).close();
  EXPECT_THAT(why(name), ::testing::HasSubstr("it is empty"));
  DatabaseFile(name, DatabaseFile::Use::write).run("CREATE TABLE other (x)");
  EXPECT_THAT(why(name), ::testing::HasSubstr("none of Carillon's"));
}

}  // namespace
}  // namespace carillon::storage::sqlite
