#include "app/start_turn.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace carillon::app {
namespace {

constexpr std::chrono::seconds wait_max{10};
constexpr std::chrono::milliseconds look_again{10};

[[noreturn]] void fail(const std::string& path, const std::string& what, int error) {
  throw std::runtime_error("data directory '" + path + "': " + what + ": " + std::generic_category().message(error));
}

}  // namespace

StartTurn::StartTurn(const std::string& data_directory) {
  std::error_code error;
  const auto parent = std::filesystem::absolute(data_directory, error).lexically_normal().parent_path();
  if (!error) std::filesystem::create_directories(parent, error);
  if (error) fail(data_directory, "cannot be made", error.value());
  if (::mkdir(data_directory.c_str(), 0700) != 0 && errno != EEXIST) fail(data_directory, "cannot be made", errno);

  directory_ = ::open(data_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory_ < 0) fail(data_directory, "cannot be opened", errno);
  const auto give_up_at = std::chrono::steady_clock::now() + wait_max;
  while (::flock(directory_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    if (reason == EINTR) continue;
    if (reason == EWOULDBLOCK && std::chrono::steady_clock::now() < give_up_at) {
      std::this_thread::sleep_for(look_again);
      continue;
    }
    ::close(directory_);
    if (reason == EWOULDBLOCK) {
      throw std::runtime_error("data directory '" + data_directory +
                               "': another command has been starting a hub on it for " +
                               std::to_string(wait_max.count()) + " s");
    }
    fail(data_directory, "cannot be locked", reason);
  }
}

StartTurn::~StartTurn() { ::close(directory_); }

}  // namespace carillon::app
