#include "storage/sqlite/restoring.h"

#include <fstream>

#include "storage/sqlite/backup.h"
#include "storage/sqlite/database_file.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

namespace fs = std::filesystem;

class RestoringTest : public StoreTest {
 protected:
  RestoringTest() {
    open();
    client_ = principal(make_key("acme"));
    old_ = submit(client_).id;
    back_up(path(), file(), NewFile::Existing::refused, {});
    new_ = submit(client_).id;
    epoch_ = reader_->epoch();
  }

  std::string file() const { return (folder_ / "backup.db").string(); }
  Restoring::Done restore() { return Restoring(file(), path(), {}).put_in_place(clock_.now_ms()); }
  std::string failure() {
    try {
      restore();
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

  hub::Principal client_;
  hub::JobId old_;
  hub::JobId new_;
  std::string epoch_;
};

TEST_F(RestoringTest, PutsTheBackupInPlaceUnderANewEpochAndKeepsWhatWasThere) {
  close();
  const auto done = restore();
  EXPECT_EQ(done.kept_aside, path() + ".replaced-20231114T221320Z");
  EXPECT_EQ(files(), (std::vector<std::string>{"backup.db", "carillon.db", "carillon.db.replaced-20231114T221320Z",
                                               "webhook-secrets.key"}));
  open();
  EXPECT_TRUE(reader_->find_job(old_));
  EXPECT_FALSE(reader_->find_job(new_));
  EXPECT_EQ(reader_->epoch(), done.epoch);
  EXPECT_NE(done.epoch, epoch_);
  submit(client_);
  close();
  const DatabaseFile aside(done.kept_aside, DatabaseFile::Use::look);
  Statement jobs(aside.handle(), "SELECT count(*) FROM jobs");
  jobs.step();
  EXPECT_EQ(jobs.integer(0), 2) << "with all that was committed";
}

TEST_F(RestoringTest, EachOneThatIsReplacedHasANameOfItsOwn) {
  close();
  EXPECT_EQ(restore().kept_aside, path() + ".replaced-20231114T221320Z");
  EXPECT_EQ(restore().kept_aside, path() + ".replaced-20231114T221320Z-2");
}

TEST_F(RestoringTest, WhatAKilledHubLeftInItsLogIsKeptToo) {
  fs::create_directory(folder_ / "killed");
  const std::string killed = (folder_ / "killed" / "carillon.db").string();
  for (const char* suffix : {"", "-wal"}) fs::copy_file(path() + suffix, killed + suffix);
  ASSERT_GT(bytes_of_file(killed + "-wal"), 0U);
  const auto done = Restoring(file(), killed, {}).put_in_place(clock_.now_ms());
  EXPECT_FALSE(fs::exists(killed + "-wal")) << "it is of the other database";
  const DatabaseFile aside(done.kept_aside, DatabaseFile::Use::look);
  Statement jobs(aside.handle(), "SELECT count(*) FROM jobs");
  jobs.step();
  EXPECT_EQ(jobs.integer(0), 2);
}

TEST_F(RestoringTest, ADatabaseThatCannotBeReadAnyMoreIsReplacedAndKeptWithItsLog) {
  close();
  std::ofstream(path(), std::ios::trunc) << std::string(10'000, 'x');
  std::ofstream(path() + "-wal") << "what is left of a log";
  const auto done = restore();
  EXPECT_EQ(bytes_of_file(done.kept_aside), 10'000U);
  EXPECT_TRUE(fs::exists(done.kept_aside + "-wal"));
  EXPECT_FALSE(fs::exists(path() + "-wal"));
  open();
  EXPECT_TRUE(reader_->find_job(old_));
}

TEST_F(RestoringTest, IntoAnEmptyFolder) {
  fs::create_directory(folder_ / "other");
  const auto done = Restoring(file(), (folder_ / "other" / "carillon.db").string(), {}).put_in_place(clock_.now_ms());
  EXPECT_EQ(done.kept_aside, "");
}

TEST_F(RestoringTest, WhatIsDamagedIsRefusedAndNothingIsTouched) {
  close();
  {
    std::fstream backup(file(), std::ios::in | std::ios::out | std::ios::binary);
    backup.seekp(4096 * 3);
    backup << std::string(4096, '\x5A');
  }
  const auto before = read_small_file(path());
  EXPECT_THAT(failure(),
              ::testing::AllOf(::testing::HasSubstr(file()), ::testing::Not(::testing::HasSubstr("partial"))));
  EXPECT_EQ(read_small_file(path()), before);
  EXPECT_EQ(files(), (std::vector<std::string>{"backup.db", "carillon.db", "webhook-secrets.key"}));
}

TEST_F(RestoringTest, OneOfALaterVersionIsRefusedWithBothNumbers) {
  close();
  DatabaseFile(file(), DatabaseFile::Use::write)
      .run("PRAGMA journal_mode = DELETE; INSERT INTO schema_migrations VALUES (1000, '1000_later', '', 0)");
  EXPECT_THAT(failure(), ::testing::HasSubstr("has schema 1000, this program knows up to"));
}

TEST_F(RestoringTest, ADatabaseThatIsInUseIsNoBackup) {
  fs::copy_file(path(), folder_ / "copied.db");
  fs::copy_file(path() + "-wal", folder_ / "copied.db-wal");
  close();
  EXPECT_THROW(Restoring((folder_ / "copied.db").string(), path(), {}), hub::StoreError);
}

}  // namespace
}  // namespace carillon::storage::sqlite
