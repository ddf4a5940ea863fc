// The short life of a WebSocket that is not let in: a close code with the reason, and not one frame before it.
//
// Threads: belongs to its connection's loop.
#pragma once

#include <string_view>

#include "channels/websocket/frame.h"
#include "channels/websocket/message_reader.h"
#include "net/connection.h"

namespace carillon::channels::websocket {

class RefusedSession final : public net::Protocol {
 public:
  RefusedSession(net::Connection& connection, CloseCode code, std::string_view reason,
                 net::MonotonicMs close_timeout_ms, ReadingDesk& desk)
      : connection_(connection), desk_(desk), reader_(Deflate::no) {
    connection_.write(make_close_frame(code, reason));
    connection_.set_timer_in(close_timeout_ms);
    reader_.pass_over_messages();
  }

  /// Only the answer to the close frame is waited for; what else a client says is passed over.
  std::size_t on_bytes(std::string_view bytes) override {
    for (std::string_view rest = bytes; !connection_.ending();) {
      const Incoming::Kind kind = reader_.next(rest, desk_).kind;
      if (kind == Incoming::Kind::nothing) break;
      if (kind == Incoming::Kind::close || kind == Incoming::Kind::failure) connection_.end();
    }
    return bytes.size();
  }
  void on_end_of_input() override { connection_.end(); }
  void on_time() override { connection_.end(); }

 private:
  net::Connection& connection_;
  ReadingDesk& desk_;
  MessageReader reader_;
};

}  // namespace carillon::channels::websocket
