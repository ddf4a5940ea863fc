// An echo server made of the hub's own parts, net/ below and the WebSocket codec above it, for the Autobahn fuzzing
// client. It says back every message, text or binary, deflated with the window that was agreed upon.
//
//   autobahn_echo_server PORT       prints "listening on PORT", with the one it got for 0, and serves until it is
//   killed
#include <Poco/Net/StreamSocket.h>

#include <array>
#include <charconv>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "channels/websocket/deflate.h"
#include "channels/websocket/frame.h"
#include "channels/websocket/handshake.h"
#include "channels/websocket/message_reader.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/http/http_protocol.h"
#include "net/http/origin.h"
#include "net/http/router.h"
#include "net/listener.h"

namespace carillon {
namespace {

using namespace channels::websocket;

constexpr std::size_t message_bytes_max = 64 * 1024 * 1024;
constexpr net::MonotonicMs close_timeout_ms = 2'000;
constexpr int deflate_level = 1;

/// What the sessions share, as those of a hub's loop do.
struct EchoRoom {
  ReadingDesk desk{.message_bytes_max = message_bytes_max, .takes_binary = true};
  std::array<std::unique_ptr<Deflater>, window_bits_max + 1> deflaters;  ///< by the bits of their window

  /// None for a window that zlib does not deflate with: such a client is sent plain frames.
  Deflater* deflater(const DeflateAgreement& agreement) {
    const int bits = agreement.window_bits();
    if (bits < deflate_window_bits_min) return nullptr;
    auto& deflater = deflaters.at(static_cast<std::size_t>(bits));
    if (!deflater) deflater = std::make_unique<Deflater>(deflate_level, bits);
    return deflater.get();
  }
};

class EchoSession final : public net::Protocol {
 public:
  EchoSession(EchoRoom& room, net::Connection& connection, const std::optional<DeflateAgreement>& deflate)
      : room_(room),
        connection_(connection),
        reader_(deflate ? Deflate::yes : Deflate::no),
        deflater_(deflate ? room.deflater(*deflate) : nullptr) {}

  std::size_t on_bytes(std::string_view bytes) override {
    for (std::string_view rest = bytes; !connection_.ending();) {
      const Incoming incoming = reader_.next(rest, room_.desk);
      switch (incoming.kind) {
        case Incoming::Kind::nothing:
          return bytes.size();
        case Incoming::Kind::text:
          echo(Opcode::text, incoming.payload);
          break;
        case Incoming::Kind::binary:
          echo(Opcode::binary, incoming.payload);
          break;
        case Incoming::Kind::ping:
          connection_.write(make_frame(Opcode::pong, incoming.payload));
          break;
        case Incoming::Kind::pong:
          break;
        case Incoming::Kind::close:
          connection_.write(make_close_frame(incoming.code, {}));
          connection_.end(close_timeout_ms);
          break;
        case Incoming::Kind::failure:
          connection_.write(make_close_frame(incoming.code, incoming.payload));
          connection_.end(close_timeout_ms);
          break;
      }
    }
    return bytes.size();
  }
  void on_end_of_input() override { connection_.end(); }
  void on_time() override {}

 private:
  void echo(Opcode opcode, std::string_view message) {
    if (deflater_ != nullptr) {
      if (const auto deflated = deflater_->deflate(message)) {
        return connection_.write(make_deflated_frame(opcode, *deflated));
      }
    }
    connection_.write(make_frame(opcode, message));
  }

  EchoRoom& room_;
  net::Connection& connection_;
  MessageReader reader_;
  Deflater* deflater_;
};

int serve(std::uint16_t port) {
  net::EventLoop loop;
  EchoRoom room;
  net::http::Router router;
  router.add(net::http::Method::get, "/",
             [&](const net::http::Request& request, const net::http::Responder& responder) {
               auto read = read_handshake(request, net::http::OriginList({}));
               if (auto* refused = std::get_if<net::http::Response>(&read)) return responder.send(std::move(*refused));
               const auto& handshake = std::get<Handshake>(read);
               responder.upgrade(make_handshake_answer(handshake), [&](net::Connection& connection) {
                 return std::make_unique<EchoSession>(room, connection, handshake.deflate);
               });
             });
  net::http::HttpService http(loop, router, {});
  net::ConnectionTable connections(loop);
  auto socket = net::ListeningSocket::tcp("127.0.0.1:" + std::to_string(port));
  std::cout << "listening on " << socket.port() << std::endl;
  net::Listener listener(loop, std::move(socket), [&](std::unique_ptr<net::Transport> transport) {
    connections.add(std::move(transport), [&](net::Connection& connection) { return http.make_protocol(connection); });
  });
  loop.run();
  return 0;
}

}  // namespace
}  // namespace carillon

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  const std::string_view text = argc == 2 ? argv[1] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) {
    std::cerr << "usage: autobahn_echo_server PORT\n";
    return 2;
  }
  return carillon::serve(port);
}
