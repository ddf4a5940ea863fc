// What can be said of a database file.
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace carillon::storage::sqlite {

/// Told now and then what is being done, and how far that is, in bytes; `all` is 0 where that is not known.
using Progress = std::function<void(std::string_view what, std::uint64_t done, std::uint64_t all)>;

struct DatabaseFacts {
  std::uint64_t bytes = 0;
  int schema = 0;              ///< the last migration it has seen
  std::string secrets_key_id;  ///< of the key that webhook secrets in it are encrypted with; empty: none are
};

/// Reads all of a file that nobody else uses. Throws hub::StoreError that names it, where it is not whole, not
/// Carillon's, or of a later version than this program.
DatabaseFacts examine(const std::string& path, const Progress& progress);

/// Of a file; 0 where there is none.
std::uint64_t bytes_of_file(const std::string& path);
bool is_file(const std::string& path);

}  // namespace carillon::storage::sqlite
