// The opening handshake (RFC 6455, section 4.2), and where in it a client may put its key.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "channels/websocket/deflate_offer.h"
#include "net/http/message.h"
#include "net/http/origin.h"

namespace carillon::channels::websocket {

/// A sound handshake. Whether the key is good is not decided here.
struct Handshake {
  std::string nonce;        ///< the value of Sec-WebSocket-Key
  std::string subprotocol;  ///< the one to select; empty for none
  std::string key;          ///< the API key that was presented; empty for none
  bool resume = false;      ///< `?resume=1`
  std::optional<DeflateAgreement> deflate{};
};

/// The subprotocol that lets a browser pass its key without having it echoed.
inline constexpr std::string_view carillon_subprotocol = "carillon.v1";

/// Reads a GET request; what is no handshake is answered 400 or 426, and a page of another origin than those 403 (who
/// sends no Origin is no page).
///
/// The key is taken from `?api_key=`, else from Sec-WebSocket-Protocol (beside `carillon.v1`, which is then selected;
/// alone, it is selected itself, for a browser fails a handshake whose subprotocol is not confirmed), else from
/// X-API-Key or Authorization.
std::variant<Handshake, net::http::Response> read_handshake(const net::http::Request& request,
                                                            const net::http::OriginList& origins);

/// The head of the 101 answer.
std::string make_handshake_answer(const Handshake& handshake);

}  // namespace carillon::channels::websocket
