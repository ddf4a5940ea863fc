#include "app/service_manager.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace carillon::app {
namespace {

constexpr int first_socket = 3;  // SD_LISTEN_FDS_START
constexpr std::int64_t us_per_ms = 1000;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

std::int64_t number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value > 0 ? value : 0;
}

int connect_to(const std::string& path) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof where.sun_path) return -1;
  std::memcpy(where.sun_path, path.data(), path.size());
  if (path.front() == '@') where.sun_path[0] = '\0';  // Linux' abstract names
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&where), bytes) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

}  // namespace

ServiceManager::ServiceManager() {
  const std::string notify = take_variable("NOTIFY_SOCKET");
  if (!notify.empty()) socket_ = connect_to(notify);
  const bool sockets_are_ours = number(take_variable("LISTEN_PID")) == getpid();
  const std::int64_t sockets = number(take_variable("LISTEN_FDS"));
  take_variable("LISTEN_FDNAMES");
  if (sockets_are_ours) handed_over_ = static_cast<int>(sockets);
  const std::string watched = take_variable("WATCHDOG_PID");
  const std::int64_t within_us = number(take_variable("WATCHDOG_USEC"));
  // Twice within its time, as sd_watchdog_enabled(3) advises.
  if (watched.empty() || number(watched) == getpid()) every_ms_ = within_us / us_per_ms / 2;
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

std::optional<net::ListeningSocket> ServiceManager::take_socket() {
  if (handed_over_ == 0) return std::nullopt;
  if (handed_over_ > 1) {
    throw std::runtime_error("the service manager hands over " + std::to_string(handed_over_) +
                             " sockets, and the hub serves on one: one ListenStream= in its .socket unit");
  }
  handed_over_ = 0;
  return net::ListeningSocket::inherited(first_socket);
}

void ServiceManager::ready(const std::string& status) { tell("READY=1\nSTATUS=" + status); }

void ServiceManager::reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t now_us = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
  tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now_us));
}

void ServiceManager::stopping(net::MonotonicMs time_ms) {
  tell("STOPPING=1\nSTATUS=Ending.\nEXTEND_TIMEOUT_USEC=" + std::to_string(time_ms * us_per_ms));
}

void ServiceManager::is_well(net::MonotonicMs now_ms) {
  if (every_ms_ == 0 || now_ms < due_ms_) return;
  // A little early rather than a little late: this is asked about once a second.
  due_ms_ = now_ms + every_ms_ - every_ms_ / 4;
  tell("WATCHDOG=1");
}

void ServiceManager::tell(std::string_view state) const {
  if (socket_ >= 0) send(socket_, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

bool stdout_is_the_journal() {
  // systemd.exec(5): "device:inode" of the stream that the journal reads.
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat out {};
  return stream != nullptr && fstat(STDOUT_FILENO, &out) == 0 &&
         stream == std::to_string(out.st_dev) + ":" + std::to_string(out.st_ino);
}

}  // namespace carillon::app
