// A connection: one socket on one loop, what is spoken on it, and what waits to be written.
//
// Threads: a connection lives and dies on its loop's thread. Others reach it by posting to that loop with a
// ConnectionRef, which finds it again or finds it gone.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/bytes.h"
#include "net/event_loop.h"

namespace carillon::net {

class Connection;
class ConnectionTable;

/// Finds a connection again if it is still there; a value that may be kept anywhere, used on the loop's thread.
struct ConnectionRef {
  ConnectionTable* table = nullptr;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;

  Connection* get() const;
};

/// What is spoken on a connection. Owned by the connection; may hold a reference to it.
class Protocol {
 public:
  virtual ~Protocol() = default;

  /// What has come in and was not consumed before. Returns how many bytes are consumed; the rest is kept and offered
  /// again, with more behind it. After pause_reading() from within, nothing more is offered until resume_reading().
  virtual std::size_t on_bytes(std::string_view bytes) = 0;

  /// The other end will send no more.
  virtual void on_end_of_input() = 0;

  /// The other end has said that it will send no more, while reading is paused: what it sent before may be unread.
  virtual void on_hangup() {}

  /// The kernel takes no more for now: something queued stays unsent.
  virtual void on_blocked() {}

  /// The time that was set with Connection::set_timer_in() has come.
  virtual void on_time() = 0;

  /// The connection is gone, by whichever side; the last call.
  virtual void on_gone() noexcept {}
};

/// Bytes in and out of a connected stream, without blocking.
class Transport {
 public:
  virtual ~Transport() = default;

  enum class Status : std::uint8_t { done, would_block, ended, failed };
  struct Result {
    Status status;
    std::size_t bytes = 0;  ///< read or written; with `done`
  };
  virtual Result read(char* into, std::size_t bytes) = 0;
  /// Writes the pieces in order, as far as the kernel takes them.
  virtual Result write(const struct iovec* pieces, std::size_t count) = 0;
  /// Bytes that are already here though the socket need not become readable for them (TLS records).
  virtual bool has_buffered() const { return false; }
  /// Sends on what it holds itself (TLS: the rest of a record, whose bytes count as written). False while the kernel
  /// takes no more of it: an edge will tell.
  virtual bool push() { return true; }
  virtual int fd() const = 0;
  /// No more will be written; the peer reads an end.
  virtual void shutdown_write() = 0;
};

/// A plain TCP (or Unix) stream.
std::unique_ptr<Transport> make_plain_transport(const Poco::Net::StreamSocket& socket);

class Connection final : private IoHandler, private TurnEnd, private Timer {
 public:
  Connection(ConnectionTable& table, ConnectionRef self, std::unique_ptr<Transport> transport);
  ~Connection() override;

  /// Begins; to be called once, with the first protocol.
  void start(std::unique_ptr<Protocol> protocol);

  EventLoop& loop() const;
  ConnectionRef ref() const { return self_; }
  /// The other end's address without its port, "" on a Unix socket. Asks the kernel.
  std::string peer() const;

  /// Queues bytes; all that a turn queues leaves in one write at its end. Ignored once end() or drop() was called.
  void write(SharedBytes bytes);
  void write(std::string bytes);

  /// What waits to be written.
  std::size_t unsent_bytes() const;
  /// Since when the oldest of it has waited; now, when nothing does.
  MonotonicMs unsent_since_ms() const;
  /// What waits, with what keeping it costs: many small pieces weigh more than their bytes.
  std::size_t unsent_cost_bytes() const;
  /// Whether the kernel has refused what waits; an edge will tell when it takes more.
  bool blocked() const { return blocked_; }
  /// Forgets what has not begun to leave; what is half written is kept, so that the stream stays in step.
  void discard_unsent();

  /// Writes what is queued, ends the stream, and goes when the other end has ended too, or after `linger_ms`.
  void end(MonotonicMs linger_ms = 1000);
  /// Goes at once.
  void drop();
  bool ending() const { return ending_; }

  /// Another protocol takes over with the next byte (an upgrade). To be called from within the present one's on_bytes
  /// or later; the present one is destroyed when it has returned.
  void become(std::unique_ptr<Protocol> protocol);
  Protocol* protocol() const { return protocol_.get(); }

  void pause_reading() { paused_ = true; }
  void resume_reading();

  void set_timer_at(MonotonicMs at_ms);
  void set_timer_in(MonotonicMs delay_ms);
  void clear_timer();

 private:
  friend class ConnectionTable;
  struct Outbox;

  void on_io(std::uint32_t events) override;
  void on_turn_end() override;
  void on_timer() override;

  void read_ready();
  void tell_hangup();
  void offer(std::string_view fresh);
  void flush();
  void queue(SharedBytes bytes);
  void go();

  ConnectionTable& table_;
  ConnectionRef self_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Protocol> protocol_;
  std::unique_ptr<Protocol> former_;         ///< kept until the call that replaced it has returned
  std::unique_ptr<Outbox> outbox_;           ///< only while something waits to be written
  std::unique_ptr<std::string> unconsumed_;  ///< only while a message is incomplete
  bool paused_ = false;
  bool readable_ = false;  ///< an edge was seen and the socket was not yet read dry
  bool offering_ = false;
  bool resumed_ = false;   ///< resume_reading() was called while offering
  bool end_seen_ = false;  ///< the other end's FIN has been announced
  bool flush_asked_ = false;
  bool blocked_ = false;  ///< the kernel took no more; an edge will tell
  bool ending_ = false;
  bool input_ended_ = false;
  bool write_shut_ = false;
  bool gone_ = false;
};

/// The connections of one loop: owner of each.
class ConnectionTable final : private TurnEnd {
 public:
  explicit ConnectionTable(EventLoop& loop);
  ~ConnectionTable() override;
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  /// Takes the connection in; `make` builds its first protocol.
  template <typename Make>
  Connection& add(std::unique_ptr<Transport> transport, Make&& make) {
    Connection& connection = insert(std::move(transport));
    connection.start(make(connection));
    return connection;
  }

  /// May be asked from any thread.
  std::size_t size() const { return live_.load(std::memory_order_relaxed); }
  EventLoop& loop() const { return loop_; }

  template <typename Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].connection) visit(*slots_[i].connection);
    }
  }

 private:
  friend class Connection;
  friend struct ConnectionRef;
  struct Slot {
    std::unique_ptr<Connection> connection;
    std::uint32_t generation = 0;
  };

  Connection& insert(std::unique_ptr<Transport> transport);
  void bury(Connection& connection);
  void on_turn_end() override;

  EventLoop& loop_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::unique_ptr<Connection>> dead_;  ///< freed at the turn's end, when no call is inside them
  std::vector<std::unique_ptr<Connection::Outbox>> spare_outboxes_;
  std::atomic<std::size_t> live_{0};  ///< changed by the loop's thread alone
};

}  // namespace carillon::net
