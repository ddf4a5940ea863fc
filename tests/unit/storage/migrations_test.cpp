#include "storage/sqlite/migrations.h"

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

}  // namespace
}  // namespace carillon::storage::sqlite
