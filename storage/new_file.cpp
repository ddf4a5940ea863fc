#include "storage/new_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "hub/store.h"

namespace carillon::storage {
namespace {

constexpr const char* partial_suffix = ".partial";

std::string why(int error) { return std::generic_category().message(error); }

bool is_there(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// Whether the open file is the one of that name.
bool is_named(int file, const std::string& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(file, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

std::string already_there(const std::string& path) { return "'" + path + "' is there already"; }

}  // namespace

NewFile::NewFile(std::string path, Existing existing)
    : path_(std::move(path)), partial_(path_ + partial_suffix), existing_(existing) {
  if (existing_ == Existing::refused && is_there(path_)) throw hub::StoreError(already_there(path_));
  try {
    open_partial();
  } catch (const hub::StoreError&) {
    if (file_ >= 0) ::close(file_);
    throw;
  }
}

NewFile::~NewFile() {
  if (!in_place_) ::unlink(partial_.c_str());
  ::close(file_);
}

void NewFile::open_partial() {
  for (;;) {
    file_ = ::open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
    if (file_ < 0) fail("made", errno);
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) throw hub::StoreError("another process is just writing '" + partial_ + "'");
      fail("locked", errno);
    }
    // Its last writer may have put it in its place between the two calls.
    if (is_named(file_, partial_)) break;
    ::close(file_);
  }
  if (::fchmod(file_, S_IRUSR | S_IWUSR) != 0 || ::ftruncate(file_, 0) != 0) fail("made", errno);
}

void NewFile::fail(const std::string& what, int error) const {
  throw hub::StoreError("'" + path_ + "' cannot be " + what + ": " + why(error));
}

void NewFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) fail("written", errno);
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void NewFile::sync() {
  if (::fsync(file_) != 0) fail("written", errno);
}

void NewFile::give_to_owner_of(const std::string& folder) {
  struct stat status {};
  if (::geteuid() != 0 || ::stat(folder.c_str(), &status) != 0) return;
  if (::fchown(file_, status.st_uid, status.st_gid) != 0) fail("given to the owner of '" + folder + "'", errno);
}

void NewFile::put_in_place() {
  sync();
  int renamed = -1;
  if (existing_ == Existing::refused) {
    renamed = ::renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
    if (renamed != 0 && errno == EEXIST) throw hub::StoreError(already_there(path_));
  }
  // Some file systems cannot do the former.
  if (renamed != 0 && (existing_ == Existing::replaced || errno == EINVAL)) {
    renamed = std::rename(partial_.c_str(), path_.c_str());
  }
  if (renamed != 0) fail("put in its place", errno);
  in_place_ = true;
  sync_folder_of(path_);
}

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int entry = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = entry >= 0 && ::fsync(entry) == 0;
  const int error = errno;
  if (entry >= 0) ::close(entry);
  if (!synced) throw hub::StoreError("the folder of '" + path + "' cannot be synced: " + why(error));
}

std::string read_small_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in) throw hub::StoreError("'" + path + "' cannot be read: " + why(errno));
  return text;
}

}  // namespace carillon::storage
