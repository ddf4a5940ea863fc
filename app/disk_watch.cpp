#include "app/disk_watch.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <utility>

namespace carillon::app {
namespace {

std::uint64_t size_of(const std::string& file) {
  struct stat status {};
  return stat(file.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

}  // namespace

DiskWatch::DiskWatch(std::string directory, std::string database_file, std::uint64_t free_min_bytes)
    : directory_(std::move(directory)), database_file_(std::move(database_file)), free_min_bytes_(free_min_bytes) {
  look();
}

void DiskWatch::look() {
  database_bytes_ = size_of(database_file_);
  wal_bytes_ = size_of(database_file_ + "-wal");
  struct statvfs disk {};
  if (statvfs(directory_.c_str(), &disk) != 0) return;  // as it was: that it cannot be written, the store will say
  const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  free_bytes_ = free_bytes;
  const std::uint64_t least = free_min_bytes();
  if (free_bytes < least) {
    low_ = true;
  } else if (free_bytes >= least + least / 10) {
    low_ = false;
  }
}

}  // namespace carillon::app
