// The clients that hub_load and any_load are made of: sockets on one epoll, WebSocket and HTTP just as far as the hub's
// answers and those of its peers need it.
//
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::load {

using Clock = std::chrono::steady_clock;
std::int64_t now_us();

class Peer;

/// Waits for sockets, and hands each to its peer.
class Poll {
 public:
  Poll();
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  void watch(Peer& peer, std::uint32_t events, bool fresh);
  void run_once(int wait_ms);

 private:
  int epoll_;
};

/// How much the kernel keeps for a client that does not read.
enum class Room : std::uint8_t { usual, little };

/// A connection that is opened, closed and opened again; what comes in is gathered until it is understood.
class Peer {
 public:
  explicit Peer(Poll& poll) : poll_(poll) {}
  virtual ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// Throws std::runtime_error when there are no more sockets.
  void connect(std::uint16_t port, Room room = Room::usual);
  /// Takes over a socket that is connected, or listens.
  void adopt(int fd);
  void close();
  bool connected() const { return fd_ >= 0; }

  void send(std::string_view bytes);
  /// Whether all that was sent is with the kernel.
  bool has_sent() const { return out_.empty(); }
  /// While not reading, not even an end is noticed.
  void read(bool wanted);

  int fd() const { return fd_; }
  virtual void on_ready(std::uint32_t events);

 protected:
  /// Returns how much of it was understood.
  virtual std::size_t on_bytes(std::string_view bytes) = 0;
  /// By the other end; the connection is closed.
  virtual void on_end() {}

 private:
  void flush();
  void rewatch();

  Poll& poll_;
  int fd_ = -1;
  bool reading_ = true;
  std::string in_;
  std::string out_;
};

/// Opens a WebSocket, and takes what the server sends apart. Pings are answered.
class WebSocketPeer : public Peer {
 public:
  using Peer::Peer;
  /// The hub's own.
  void open(std::uint16_t port, std::string_view key, Room room = Room::usual);
  /// `fields` are whole lines of the head, each with its end.
  void open_at(std::uint16_t port, std::string_view target, std::string_view fields, Room room = Room::usual);
  /// At most 125 bytes.
  void send_text(std::string_view text);
  bool is_open() const { return open_; }

  /// Something came that is no whole frame of a server's, or no 101.
  bool broken() const { return broken_; }

 protected:
  virtual void on_text(std::string_view text) = 0;
  virtual void on_close(unsigned /*code*/) {}
  /// The answer was 101.
  virtual void on_open() {}

 private:
  std::size_t on_bytes(std::string_view bytes) final;
  void send_frame(unsigned char first, std::string_view payload);

  bool open_ = false;
  bool broken_ = false;
};

/// The value of a field of an HTTP head, empty where it has none. `name` is in lower case, with its colon.
std::string_view header_field(std::string_view head, std::string_view name);

struct Answer {
  int status = 0;  ///< 0: the connection has ended without one
  std::string_view head;
  std::string_view body;
};

/// Asks over HTTP, one request at a time; connects when it has something to ask, for an idle connection is ended.
class HttpPeer : public Peer {
 public:
  using Peer::Peer;
  bool busy() const { return busy_; }
  /// A request as it goes out.
  void ask(std::uint16_t port, std::string_view request);
  /// `body` may be empty.
  void ask(std::uint16_t port, std::string_view method, std::string_view path, std::string_view key,
           std::string_view body);

 protected:
  virtual void on_answer(const Answer& answer) = 0;

 private:
  std::size_t on_bytes(std::string_view bytes) final;
  void on_end() final;

  bool busy_ = false;
};

}  // namespace carillon::load
