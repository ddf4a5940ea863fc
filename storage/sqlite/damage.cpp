#include "storage/sqlite/damage.h"

#include <sqlite3.h>

#include <atomic>

#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

std::atomic<std::uint64_t> seen{0};

void take_note(void* /*unused*/, int code, const char* /*message*/) {
  if (is_damage(code)) seen.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void listen_for_damage() { sqlite3_config(SQLITE_CONFIG_LOG, take_note, nullptr); }

std::uint64_t damage_seen() { return seen.load(std::memory_order_relaxed); }

bool is_damage(int code) { return (code & 0xFF) == SQLITE_CORRUPT || (code & 0xFF) == SQLITE_NOTADB; }

std::string advice_on(const hub::StoreError& error) {
  const auto* const by_sqlite = dynamic_cast<const SqliteError*>(&error);
  if (by_sqlite == nullptr || !is_damage(by_sqlite->code())) return {};
  return ": it is damaged; 'carillon restore BACKUP --force' puts a backup in its place and keeps this one aside";
}

hub::StoreError named_after(const std::string& path, const hub::StoreError& error) {
  if (dynamic_cast<const SqliteError*>(&error) == nullptr) return error;
  return hub::StoreError("cannot open the database " + path + ": " + error.what() + advice_on(error));
}

}  // namespace carillon::storage::sqlite
