// One client's WebSocket: its messages, its heartbeat, and its end. What it listens to is its Subscriber's.
//
//   open ──▶ closing (close frame sent; nothing is sent any more) ──▶ gone
//
// Threads: belongs to its connection's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/websocket/counters.h"
#include "channels/websocket/deflate_offer.h"
#include "channels/websocket/frame.h"
#include "channels/websocket/message_reader.h"
#include "channels/websocket/subscriber.h"
#include "hub/principal.h"
#include "net/connection.h"
#include "net/token_bucket.h"

namespace carillon::channels::websocket {

class WebSocketChannel;
struct KeyShare;

class Session final : public net::Protocol {
 public:
  /// Says `connected` at once. It was admitted with that share, and leaves when it is gone.
  Session(WebSocketChannel& channel, net::Connection& connection, const hub::Principal& principal, KeyShare* share,
          bool with_seq, const std::optional<DeflateAgreement>& deflate);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  std::size_t on_bytes(std::string_view bytes) override;
  void on_end_of_input() override;
  void on_blocked() override;
  void on_time() override;
  void on_gone() noexcept override;

  /// Queues an event's frame, which is shared. False when that would be more than may wait for a client that does not
  /// take what it is sent: it is to be closed with close_slow().
  bool deliver(const net::SharedBytes& frame);

  /// Sends the close frame and nothing after it; the connection ends when the client has answered, or after a moment.
  /// What was queued before leaves before it, but not to a client whose key is refused.
  void close(CloseCode code, std::string_view reason) { close(code, reason, ending_of(code)); }
  /// For a client that does not take what it is sent: of what is queued only a frame that has begun to leave is still
  /// sent, whole, and then the close frame.
  void close_slow(Ending why);

  /// The secret it came in with is taken until then; at that time it is closed with 4001.
  void hold_until(hub::UnixMs valid_until);

  const hub::Principal& principal() const { return principal_; }
  bool with_seq() const { return with_seq_; }
  /// Whether frames may be deflated for it. A client that wants a smaller window than the deflater's agrees to
  /// permessage-deflate and is sent plain frames, for what is deflated once for all would not do for it.
  bool takes_deflated() const { return takes_deflated_; }
  bool open() const { return !closing_ && !overflowed_; }
  const Subscriber& subscriber() const { return subscriber_; }

 private:
  friend class Subscriber;
  friend class WebSocketChannel;

  void on_incoming(const Incoming& incoming);
  void on_message(std::string_view text);
  /// Counts a message or a ping; false, and closed, when there are more than may be.
  bool within_rate();
  void close(CloseCode code, std::string_view reason, Ending ending);
  void count_end(Ending why) noexcept;
  /// Answers the client. One that asks for more than it takes is closed, but not from within.
  void send(std::string frame);
  void send(const net::SharedBytes& frame);
  void put(const net::SharedBytes& frame);
  /// Whether so much more may be queued.
  bool has_room(std::size_t bytes) const;
  /// How the client is too slow, if it is.
  std::optional<Ending> slowness() const;
  void send_error(std::string_view message);
  void close_expired();
  void set_deadline();

  WebSocketChannel& channel_;
  net::Connection& connection_;
  hub::Principal principal_;
  Subscriber subscriber_;
  net::MonotonicMs heartbeat_at_ms_;
  net::TokenBucket messages_;
  MessageReader reader_;
  bool with_seq_;
  bool takes_deflated_;
  bool closing_ = false;
  bool overflowed_ = false;      ///< asked for more than may wait: will be closed
  Session* previous_ = nullptr;  ///< in the channel's list of its sessions
  Session* next_ = nullptr;
};

}  // namespace carillon::channels::websocket
