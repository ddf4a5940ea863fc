#include "app/top_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>

namespace carillon::app {
namespace {

constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr std::string_view leave = "\x1b[?25h\x1b[?1049l";
constexpr char ctrl_c = 3;

void write_whole(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

TopSignals::TopSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, &before_);
  fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) throw std::runtime_error("signals cannot be waited for");
}

TopSignals::~TopSignals() {
  close(fd_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool TopSignals::take_end() const {
  signalfd_siginfo signal{};
  while (read(fd_, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo != SIGWINCH && signal.ssi_signo != SIGTSTP) return true;
  }
  return false;
}

TopTerminal::TopTerminal() : has_keys_(isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &before_) == 0) {
  if (has_keys_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  write_whole(enter);
}

TopTerminal::~TopTerminal() {
  write_whole(leave);
  if (has_keys_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

TopTerminal::Size TopTerminal::size() const {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

void TopTerminal::show(std::string_view frame) const { write_whole(frame); }

bool wait_for_end(const TopSignals& signals, bool keys, std::chrono::milliseconds time) {
  std::array<pollfd, 2> ready{{{signals.fd(), POLLIN, 0}, {keys ? STDIN_FILENO : -1, POLLIN, 0}}};
  if (poll(ready.data(), ready.size(), static_cast<int>(time.count())) <= 0) return false;
  if (ready[0].revents != 0 && signals.take_end()) return true;
  if (ready[1].revents == 0) return false;
  std::array<char, 64> pressed{};
  const ssize_t count = read(STDIN_FILENO, pressed.data(), pressed.size());
  if (count <= 0) return true;  // the terminal is gone
  const std::string_view text(pressed.data(), static_cast<std::size_t>(count));
  return text.find_first_of("qQ") != std::string_view::npos || text.find(ctrl_c) != std::string_view::npos;
}

}  // namespace carillon::app
