// A file that comes into being whole or not at all: it is written under its name with `.partial` behind it, and takes
// its place, in one step, when all of it is on disk. Whatever ends the process meanwhile, what was there before stays;
// a partial file that was left behind is written over by the next one.
//
// It is its owner's alone (mode 0600).
//
// Threads: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::storage {

class NewFile {
 public:
  enum class Existing : std::uint8_t {
    refused,  ///< a file that is there already
    replaced
  };

  /// Throws hub::StoreError that names the file: it cannot be made, it is there already, or another process is just
  /// making it.
  NewFile(std::string path, Existing existing);
  /// What did not take its place is removed.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  const std::string& path() const { return path_; }
  /// Where it is written, by whatever means.
  const std::string& partial() const { return partial_; }

  /// Appends. Throws hub::StoreError.
  void write(std::string_view bytes);
  /// What was written so far is on disk. Throws hub::StoreError.
  void sync();
  /// Whoever owns that folder owns the file, where this process may say so: what root puts into a hub's directory is
  /// for the hub to use.
  void give_to_owner_of(const std::string& folder);
  /// Takes its place, for good when this returns. Throws hub::StoreError; what was there stays then.
  void put_in_place();

 private:
  void open_partial();
  [[noreturn]] void fail(const std::string& what, int error) const;

  const std::string path_;
  const std::string partial_;
  const Existing existing_;
  int file_ = -1;
  bool in_place_ = false;
};

/// The entries of the folder that the file is in are on disk. Throws hub::StoreError.
void sync_folder_of(const std::string& path);

/// The whole of a small file. Throws hub::StoreError that names it.
std::string read_small_file(const std::string& path);

}  // namespace carillon::storage
