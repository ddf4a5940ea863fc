// Damage to the database: pages that are not what SQLite has written. Whichever statement of whichever connection comes
// upon it, SQLite tells one place in the process, and so it is known here.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <string>

#include "hub/store.h"

namespace carillon::storage::sqlite {

/// Has SQLite tell; before anything is opened.
void listen_for_damage();
/// How often this process has come upon any.
std::uint64_t damage_seen();

/// Whether that is what a result code says.
bool is_damage(int code);

/// What to do, to stand behind the reason in a message; empty where it is something else.
std::string advice_on(const hub::StoreError& error);

/// The error, with the file and what to do where it was one of SQLite's own, which names neither.
hub::StoreError named_after(const std::string& path, const hub::StoreError& error);

}  // namespace carillon::storage::sqlite
