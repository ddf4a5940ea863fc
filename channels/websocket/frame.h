// WebSocket frames (RFC 6455, section 5.2): bytes in, frames out, no socket.
//
//    0               1               2 ...           + 0, 2 or 8    + 0 or 4
//   ┌─┬─────┬───────┬─┬─────────────┬───────────────┬──────────────┬─────────┐
//   │F│ RSV │opcode │M│ length (7)  │ length, where │ masking key, │ payload │
//   │I│     │ (4)   │ │ 0..125,     │ it says 126   │ where M      │         │
//   │N│     │       │ │ 126, 127    │ or 127        │              │         │
//   └─┴─────┴───────┴─┴─────────────┴───────────────┴──────────────┴─────────┘
//
// The first of the RSV bits says, where permessage-deflate was agreed upon, that a message is deflated (RFC 7692,
// section 6); it stands in the message's first frame.
//
// Threads: pure functions over bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::channels::websocket {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

/// RFC 6455, section 7.4.1, and the hub's own 4001.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  try_again_later = 1013,
  key_refused = 4001
};

/// A frame from a client, still masked.
struct FrameHead {
  bool final = false;
  bool deflated = false;
  Opcode opcode = Opcode::text;
  std::array<std::uint8_t, 4> mask{};
  std::uint64_t payload_bytes = 0;
  std::size_t head_bytes = 0;
};

enum class FrameState : std::uint8_t { complete, incomplete, malformed };

/// What became of reading; `why` (a literal, for the close frame) where it is malformed.
struct FrameResult {
  FrameState state;
  std::string_view why{};
};

/// The most that a frame's head takes: 2 bytes, 8 of length, 4 of mask.
inline constexpr std::size_t head_bytes_max = 14;
inline constexpr std::size_t control_payload_bytes_max = 125;

/// Whether permessage-deflate was agreed upon.
enum class Deflate : bool { no, yes };

/// Reads the head of the client's frame at the start of `bytes`, as soon as it is whole. Malformed is what RFC 6455
/// wants a connection failed for: no mask, RSV bits without their extension, an opcode that is reserved, a control
/// frame that is fragmented or longer than 125 bytes, a length not in its shortest form.
FrameResult read_frame_head(std::string_view bytes, Deflate deflate, FrameHead& head);

/// Writes `from` unmasked to `to`, which may be the same place. `offset` is where in the frame's payload it stands.
void unmask(char* to, std::string_view from, const std::array<std::uint8_t, 4>& mask, std::uint64_t offset = 0);

/// A whole, unmasked, final frame. Control frames hold at most 125 bytes.
std::string make_frame(Opcode opcode, std::string_view payload);
/// The same for a message that is deflated already.
std::string make_deflated_frame(Opcode opcode, std::string_view deflated);
/// `reason` is cut to the 123 bytes that fit, between characters.
std::string make_close_frame(CloseCode code, std::string_view reason);

/// The payload of a frame that make_frame() made.
std::string_view payload_of(std::string_view frame);

/// Whether a peer may send this code in a close frame (RFC 6455, section 7.4.2).
bool is_valid_close_code(unsigned code);

}  // namespace carillon::channels::websocket
