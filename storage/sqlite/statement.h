// A statement that is prepared once and run many times.
//
//   statement.bind(id, status);            // ?1, ?2, … in order
//   while (statement.step()) statement.integer(0);
//
// Each bind() begins a new run. What SQLite cannot do throws SqliteError, with its result code; what a rule forbids is
// not an error here.
//
// Threads: those of its connection.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hub/id.h"
#include "hub/store.h"
#include "hub/text.h"

namespace carillon::storage::sqlite {

class SqliteError : public hub::StoreError {
 public:
  SqliteError(sqlite3* handle, int code);
  int code() const { return code_; }

 private:
  int code_;
};

class Statement {
 public:
  Statement(sqlite3* handle, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Binds the parameters in order. Texts and blobs are not copied: they must live until the last step().
  template <typename... Values>
  Statement& bind(const Values&... values) {
    reset();
    int place = 0;
    (put(++place, values), ...);
    return *this;
  }

  /// True while there is a row.
  bool step();
  /// Runs it to its end, for what gives no rows; returns how many rows were changed.
  int run();

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::optional<std::int64_t> optional_integer(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  /// Null where the column is.
  hub::Text shared_text(int column) const;
  hub::JobId job_id(int column) const;

  /// Lets go of the rows it stands at: a reader that does not would hold its snapshot.
  void reset();

 private:
  void put(int place, std::int64_t value);
  void put(int place, int value) { put(place, std::int64_t{value}); }
  void put(int place, bool value) { put(place, std::int64_t{value ? 1 : 0}); }
  void put(int place, std::nullptr_t);
  void put(int place, std::string_view text);
  void put(int place, const std::string& text) { put(place, std::string_view(text)); }
  void put(int place, const char* text) { put(place, std::string_view(text)); }
  void put(int place, const hub::Text& text);
  void put(int place, std::span<const std::uint8_t> blob);
  void put(int place, const std::vector<std::uint8_t>& blob) { put(place, std::span<const std::uint8_t>(blob)); }
  void put(int place, const hub::JobId& id) { put(place, std::span<const std::uint8_t>(id.bytes)); }
  template <std::size_t n>
  void put(int place, const std::array<std::uint8_t, n>& blob) {
    put(place, std::span<const std::uint8_t>(blob));
  }
  template <typename Tag>
  void put(int place, hub::NumberId<Tag> id) {
    put(place, id.value);
  }
  template <typename T>
  void put(int place, const std::optional<T>& value) {
    value ? put(place, *value) : put(place, nullptr);
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void put(int place, Enum value) { put(place, static_cast<std::int64_t>(value)); }

  void check(int code) const;

  sqlite3* handle_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace carillon::storage::sqlite
