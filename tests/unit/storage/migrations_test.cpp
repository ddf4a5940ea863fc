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
