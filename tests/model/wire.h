// A connection between a client of the trial and the hub, in memory, and everything a network does to it: pieces of any
// length, storms of EAGAIN, windows that fill, resets, ends.
//
// The hub's end is a net::Transport whose descriptor (an eventfd) brings an edge whenever the hub is to look again; so
// what the kernel would do is done here, at the dice's will.
//
// Threads: the transport is the hub's, the rest of the trial's; what both touch is under a lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "net/connection.h"
#include "tests/model/dice.h"

namespace carillon::model {

/// Whoever waits for something to come from the hub sleeps here.
class Arrivals {
 public:
  void tell() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    told_.notify_all();
  }
  /// Asks anew whenever something has come; false when the patience has ended.
  template <typename Ready>
  bool await(std::chrono::milliseconds patience, Ready ready) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const std::uint64_t seen = count();
      if (ready()) return true;
      if (std::chrono::steady_clock::now() >= deadline) return false;
      std::unique_lock lock(mutex_);
      if (!told_.wait_until(lock, deadline, [&] { return count_ != seen; })) return false;
    }
  }

 private:
  std::uint64_t count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

  std::mutex mutex_;
  std::condition_variable told_;
  std::uint64_t count_ = 0;
};

/// What a network does to a connection.
struct Weather {
  std::size_t piece_bytes_max = 0;  ///< 0: as much as is there
  std::size_t storm_one_in = 0;     ///< of the calls, so many meet a storm; 0: none does
  std::size_t window_bytes = 1024 * 1024;
};

class Wire {
 public:
  Wire(Arrivals& arrivals, const Weather& weather, std::uint64_t seed);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// The hub's end, once.
  static std::unique_ptr<net::Transport> hub_end(const std::shared_ptr<Wire>& wire);

  void send(std::string_view bytes);
  /// All that has come.
  std::string take();
  /// Nothing more is taken until then: what the hub sends fills the window.
  void set_window(std::size_t bytes);
  void close();
  void reset();
  /// Whether the hub has read all that was sent.
  bool all_read();
  /// Nothing more will come: the hub has ended its side, or is gone.
  bool ended();
  /// The hub has no connection any more.
  bool left_by_hub();

 private:
  class HubEnd;

  void edge() const;
  std::size_t piece_of(std::size_t bytes);
  /// Whether this call is to find nothing to do, and be called again.
  bool storms();

  Arrivals& arrivals_;
  const Weather weather_;
  std::mutex mutex_;
  Dice dice_;
  int event_ = -1;
  std::string to_hub_;
  std::string to_client_;
  std::size_t window_;
  std::size_t storm_left_ = 0;
  bool client_closed_ = false;
  bool hub_ended_ = false;
  bool hub_gone_ = false;
  bool reset_ = false;
  bool hub_waits_ = false;  ///< for room
};

}  // namespace carillon::model
