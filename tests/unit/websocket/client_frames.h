// Frames as a client sends them.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "channels/websocket/frame.h"

namespace carillon::channels::websocket {

inline std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int byte : list) out += static_cast<char>(byte);
  return out;
}

/// A masked frame with this first byte; its length in the shortest form.
inline std::string client_frame(int first, std::string_view payload) {
  constexpr std::array<std::uint8_t, 4> mask{0x37, 0xFA, 0x21, 0x3D};
  // The hub's own frame has the same length; the mask comes between that and the payload.
  std::string frame = make_frame(Opcode::text, payload);
  const std::size_t head_bytes = frame.size() - payload.size();
  frame[0] = static_cast<char>(first);
  frame[1] = static_cast<char>(static_cast<unsigned char>(frame[1]) | 0x80U);
  unmask(frame.data() + head_bytes, payload, mask);
  return frame.insert(head_bytes, reinterpret_cast<const char*>(mask.data()), mask.size());
}

// First bytes.
inline constexpr int final_text = 0x81;
inline constexpr int first_text = 0x01;
inline constexpr int continuation = 0x00;
inline constexpr int final_continuation = 0x80;
inline constexpr int final_binary = 0x82;
inline constexpr int final_deflated_text = 0xC1;
inline constexpr int first_deflated_text = 0x41;
inline constexpr int close_frame = 0x88;
inline constexpr int ping = 0x89;
inline constexpr int pong = 0x8A;

}  // namespace carillon::channels::websocket
