#include "app/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace carillon::app {
namespace {

constexpr const char* control_socket_name = "control.sock";
constexpr const char* lock_file_name = "lock";

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw std::runtime_error("data directory '" + path + "': " + what + ": " + std::generic_category().message(error));
}

void make(const std::string& path) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::absolute(path, error).lexically_normal().parent_path();
  if (!error) std::filesystem::create_directories(parent, error);
  if (error) fail(path, "cannot be made", error.value());
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail(path, "cannot be made", errno);
}

}  // namespace

DataDirectory::DataDirectory(std::string path, Use use) : path_(std::move(path)) {
  if (use == Use::serve) make(path_);
  directory_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_ < 0) fail(path_, "cannot be opened", errno);
  if (use == Use::visit) return;

  lock_ = ::openat(directory_, lock_file_name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int error = lock_ < 0 ? errno : 0;
  if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) != 0) error = errno;
  if (error == 0) return;
  // No destructor runs for what was not constructed.
  if (lock_ >= 0) ::close(lock_);
  ::close(directory_);
  if (error == EWOULDBLOCK) throw DataDirectoryBusy("data directory '" + path_ + "': another hub serves it");
  fail(path_, "cannot be locked", error);
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
  ::close(directory_);
}

bool DataDirectory::exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

std::string DataDirectory::database_file() const { return database_file_in(path_); }

std::string DataDirectory::control_socket() const {
  return "/proc/self/fd/" + std::to_string(directory_) + "/" + control_socket_name;
}

std::string database_file_in(const std::string& data_directory) {
  return (std::filesystem::path(data_directory) / "carillon.db").string();
}

std::string secret_key_file(const Settings& settings) {
  if (!settings.webhooks.secret_key_file.empty()) return settings.webhooks.secret_key_file;
  return (std::filesystem::path(settings.data) / "webhook-secrets.key").string();
}

}  // namespace carillon::app
