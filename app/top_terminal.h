// A terminal while `carillon top` has it: its own screen, without a cursor, keys told at once; and as it was before,
// however that ends.
//
// Threads: the main thread, before any other is started.
#pragma once

#include <termios.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <string_view>

namespace carillon::app {

/// SIGINT, SIGTERM, SIGHUP, and what would change the screen behind one's back, waited for instead of suffered.
class TopSignals {
 public:
  TopSignals();
  ~TopSignals();
  TopSignals(const TopSignals&) = delete;
  TopSignals& operator=(const TopSignals&) = delete;

  int fd() const { return fd_; }
  /// True when one of those that came means the end.
  bool take_end() const;

 private:
  sigset_t before_{};
  int fd_;
};

class TopTerminal {
 public:
  TopTerminal();
  ~TopTerminal();
  TopTerminal(const TopTerminal&) = delete;
  TopTerminal& operator=(const TopTerminal&) = delete;

  struct Size {
    std::size_t columns = 80;
    std::size_t rows = 24;
  };
  Size size() const;
  void show(std::string_view frame) const;

 private:
  termios before_{};
  bool has_keys_;  ///< standard input is a terminal, which was as `before_`
};

/// Waits so long; true when it is to end: a signal that says so, or 'q' where the keys are to be heeded.
bool wait_for_end(const TopSignals& signals, bool keys, std::chrono::milliseconds time);

}  // namespace carillon::app
