// Agreeing on permessage-deflate in the handshake (RFC 6455, section 9.1; RFC 7692, section 7.1).
//
//   offers:     extension *( "," extension )            in the order of the client's preference
//   extension:  token *( ";" token [ "=" ( token | quoted token ) ] )
//
// The hub takes the first offer it understands whole, and always answers that neither side keeps a context: then one
// deflater and one inflater serve all connections, and an event is deflated once for all of them.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "channels/websocket/deflate.h"

namespace carillon::channels::websocket {

struct DeflateAgreement {
  /// How far back in a message the client looks when it inflates; said in the answer where the client asked for it.
  std::optional<int> server_window_bits;

  int window_bits() const { return server_window_bits.value_or(window_bits_max); }
};

/// Reads the value of one Sec-WebSocket-Extensions field and, unless there is an agreement already, agrees to the first
/// offer of permessage-deflate in it that can be met. An offer with a parameter that is unknown, named twice or of a
/// wrong value is passed over, as other extensions are. False where the value is not of the form above.
bool agree_on_deflate(std::string_view field_value, std::optional<DeflateAgreement>& agreement);

/// The value of Sec-WebSocket-Extensions in the answer.
std::string to_field_value(const DeflateAgreement& agreement);

}  // namespace carillon::channels::websocket
