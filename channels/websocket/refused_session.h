// The short life of a WebSocket that is not let in: a close code with the reason, and not one frame before it.
//
// Threads: belongs to its connection's loop.
#pragma once

#include <string_view>

#include "channels/websocket/frame.h"
#include "net/connection.h"

namespace carillon::channels::websocket {

class RefusedSession final : public net::Protocol {
 public:
  RefusedSession(net::Connection& connection, CloseCode code, std::string_view reason,
                 net::MonotonicMs close_timeout_ms)
      : connection_(connection) {
    connection_.write(make_close_frame(code, reason));
    connection_.set_timer_in(close_timeout_ms);
  }

  /// Only the answer to the close frame is waited for; what else a client says is passed over.
  std::size_t on_bytes(std::string_view bytes) override {
    std::size_t consumed = 0;
    for (FrameHead head; consumed < bytes.size();) {
      const std::string_view rest = bytes.substr(consumed);
      const FrameResult result = read_frame_head(rest, head);
      if (result.state == FrameState::incomplete) break;
      if (result.state == FrameState::malformed || head.opcode == Opcode::close ||
          head.payload_bytes > payload_bytes_max) {
        connection_.end();
        return bytes.size();
      }
      if (rest.size() - head.head_bytes < head.payload_bytes) break;
      consumed += head.head_bytes + static_cast<std::size_t>(head.payload_bytes);
    }
    return consumed;
  }
  void on_end_of_input() override { connection_.end(); }
  void on_time() override { connection_.end(); }

 private:
  static constexpr std::size_t payload_bytes_max = 64 * 1024;

  net::Connection& connection_;
};

}  // namespace carillon::channels::websocket
