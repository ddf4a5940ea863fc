#include "storage/sqlite/given_numbers.h"

#include <utility>

namespace carillon::storage::sqlite {

GivenNumbers::GivenNumbers(sqlite3* handle, const std::string& table, const std::string& column, std::string name)
    : name_(std::move(name)), keep_(handle, "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)") {
  Statement given(handle, "SELECT max(coalesce((SELECT max(" + column + ") FROM " + table +
                              "), 0), coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = ?), 0))");
  given.bind(name_).step();
  last_ = given.integer(0);
}

void GivenNumbers::erasing(std::int64_t number) {
  if (number <= given_on_disk_) return;
  const std::string last = std::to_string(last_);
  keep_.bind(name_, last).run();
  given_on_disk_ = last_;
}

}  // namespace carillon::storage::sqlite
