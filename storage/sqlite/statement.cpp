#include "storage/sqlite/statement.h"

#include <algorithm>
#include <cstddef>

namespace carillon::storage::sqlite {

namespace {

/// What a code means, and in brackets what SQLite says beyond it.
std::string reason(sqlite3* handle, int code) {
  const std::string meaning = sqlite3_errstr(code);
  const std::string message = sqlite3_errmsg(handle);
  return message == meaning ? meaning : meaning + " (" + message + ")";
}

}  // namespace

SqliteError::SqliteError(sqlite3* handle, int code) : hub::StoreError(reason(handle, code)), code_(code) {}

Statement::Statement(sqlite3* handle, std::string_view sql) : handle_(handle) {
  const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement_, nullptr);
  check(code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::check(int code) const {
  if (code != SQLITE_OK) throw SqliteError(handle_, code);
}

void Statement::reset() { sqlite3_reset(statement_); }  // its result repeats the last step's, which was reported

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  const bool done = code == SQLITE_DONE;
  if (!done) {
    const SqliteError error(handle_, code);
    reset();
    throw error;
  }
  reset();
  return false;
}

int Statement::run() {
  while (step()) {
  }
  return sqlite3_changes(handle_);
}

std::optional<std::int64_t> Statement::optional_integer(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer(column);
}

std::string_view Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

hub::Text Statement::shared_text(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return nullptr;
  return hub::make_text(text(column));
}

hub::JobId Statement::job_id(int column) const {
  hub::JobId id;
  const std::string_view bytes = blob(column);
  std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()), id.bytes.begin());
  return id;
}

void Statement::put(int place, std::int64_t value) { check(sqlite3_bind_int64(statement_, place, value)); }

void Statement::put(int place, std::nullptr_t) { check(sqlite3_bind_null(statement_, place)); }

void Statement::put(int place, std::string_view text) {
  check(sqlite3_bind_text(statement_, place, text.empty() ? "" : text.data(), static_cast<int>(text.size()),
                          SQLITE_STATIC));
}

void Statement::put(int place, const hub::Text& text) {
  text ? put(place, std::string_view(*text)) : put(place, nullptr);
}

void Statement::put(int place, std::span<const std::uint8_t> blob) {
  check(sqlite3_bind_blob(statement_, place, blob.data(), static_cast<int>(blob.size()), SQLITE_STATIC));
}

}  // namespace carillon::storage::sqlite
