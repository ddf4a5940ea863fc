// Who may open a WebSocket, as the whole hub counts: all its loops ask the same Admission.
//
//   handshake ──▶ rate (503) ──▶ room in the hub (1013) ──▶ key (4001, held back) ──▶ room for the key (1008) ──▶ open
//
// What costs nothing is asked first. It is asked when a connection opens and told when one closes, never for a message.
//
// Threads: any; what is more than a number is behind one lock, held for a look into a table.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "channels/websocket/handshake_gate.h"
#include "channels/websocket/refusal_pace.h"
#include "hub/id.h"

namespace carillon::channels::websocket {

struct AdmissionLimits {
  std::size_t connections_max = 100'000;
  std::size_t connections_per_key_max = 0;    ///< 0: as many as the hub takes
  std::size_t subscriptions_per_key_max = 0;  ///< 0: as many as its connections may have
  std::uint32_t handshakes_per_second = 0;    ///< 0: as they come
  int retry_after_max_s = 60;                 ///< for who comes when there are more
  std::size_t held_max = 1'000;               ///< answers to refused keys that are held back at one time
  RefusalPaceOptions refusals = {};
};

/// What the connections of one key have together.
struct KeyShare {
  std::size_t connections = 0;  ///< Admission's own
  std::atomic<std::size_t> subscriptions{0};
};

class Admission {
 public:
  explicit Admission(const AdmissionLimits& limits);
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Other limits from now on. Who is in stays in, and counts.
  void set_limits(const AdmissionLimits& limits);
  std::size_t connections_per_key_max() const { return connections_per_key_max_.load(std::memory_order_relaxed); }
  std::size_t subscriptions_per_key_max() const { return subscriptions_per_key_max_.load(std::memory_order_relaxed); }

  /// A handshake has come: 0 where it may go on, otherwise the Retry-After of its 503.
  int handshake(net::MonotonicMs now_ms);

  /// Whether the hub has all the connections it takes; enter() decides.
  bool full() const { return connections() >= connections_max_.load(std::memory_order_relaxed); }

  enum class Entry : std::uint8_t { admitted, hub_is_full, key_is_full };
  /// Counts a connection in; who was admitted leaves once, and until then has a share in what its key may have: null
  /// for who was not.
  Entry enter(hub::KeyId key, KeyShare*& share);
  void leave(hub::KeyId key) noexcept;

  std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }

  /// A key was refused: how long its answer is to be held back (see RefusalPace).
  net::MonotonicMs refused(const std::string& address, net::MonotonicMs now_ms);
  /// The same for who is more or less patient; all of an address are counted together.
  net::MonotonicMs refused(const std::string& address, net::MonotonicMs now_ms, std::uint32_t refusals_free);

  /// Counts an answer that is held back; false when there are as many as may be. Whose was counted lets go once.
  bool hold();
  void let_go() noexcept { --held_; }

 private:
  std::atomic<std::size_t> connections_max_;
  std::atomic<std::size_t> connections_per_key_max_;
  std::atomic<std::size_t> subscriptions_per_key_max_;
  std::atomic<std::size_t> held_max_;
  std::atomic<bool> has_gate_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> held_{0};

  std::mutex mutex_;
  HandshakeGate gate_;
  RefusalPace pace_;
  std::unordered_map<hub::KeyId, KeyShare> by_key_;
};

}  // namespace carillon::channels::websocket
