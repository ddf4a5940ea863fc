#include "channels/websocket/frame.h"

#include <algorithm>
#include <cstring>

namespace carillon::channels::websocket {
namespace {

constexpr unsigned deflated_bit = 0x40;
constexpr unsigned length_16_bits = 126;
constexpr unsigned length_64_bits = 127;

FrameResult malformed(std::string_view why) { return {FrameState::malformed, why}; }

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

bool is_known(unsigned opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

bool begins_message(Opcode opcode) { return opcode == Opcode::text || opcode == Opcode::binary; }

std::string frame_of(unsigned first, std::string_view payload) {
  std::string frame;
  frame.reserve(payload.size() + 10);
  frame += static_cast<char>(first);
  const std::size_t size = payload.size();
  if (size < length_16_bits) {
    frame += static_cast<char>(size);
  } else if (size <= 0xFFFF) {
    frame += static_cast<char>(length_16_bits);
    for (int shift = 8; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xFFU);
  } else {
    frame += static_cast<char>(length_64_bits);
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift & 0xFFU);
  }
  frame.append(payload);
  return frame;
}

}  // namespace

FrameResult read_frame_head(std::string_view bytes, Deflate deflate, FrameHead& head) {
  if (bytes.empty()) return {FrameState::incomplete};
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (!is_known(first & 0x0FU)) return malformed("Reserved opcode");
  head.final = (first & 0x80U) != 0;
  head.deflated = (first & deflated_bit) != 0;
  head.opcode = static_cast<Opcode>(first & 0x0FU);
  if ((first & 0x30U) != 0 || (head.deflated && deflate == Deflate::no)) {
    return malformed("RSV bits without an extension");
  }
  if (head.deflated && !begins_message(head.opcode)) return malformed("RSV1 on what begins no message");
  if (is_control(head.opcode) && !head.final) return malformed("Fragmented control frame");

  if (bytes.size() < 2) return {FrameState::incomplete};
  const auto second = static_cast<unsigned char>(bytes[1]);
  if ((second & 0x80U) == 0) return malformed("Client frame without a mask");
  const unsigned short_length = second & 0x7FU;
  if (is_control(head.opcode) && short_length > control_payload_bytes_max) return malformed("Control frame too long");

  std::size_t length_bytes = 0;
  if (short_length == length_16_bits) length_bytes = 2;
  if (short_length == length_64_bits) length_bytes = 8;
  head.head_bytes = 2 + length_bytes + head.mask.size();
  if (bytes.size() < 2 + length_bytes) return {FrameState::incomplete};
  head.payload_bytes = length_bytes == 0 ? short_length : read_big_endian(bytes.substr(2, length_bytes));
  const bool shortest = length_bytes == 0 || (length_bytes == 2 && head.payload_bytes > control_payload_bytes_max) ||
                        (length_bytes == 8 && head.payload_bytes > 0xFFFF);
  if (!shortest) return malformed("Length not in its shortest form");
  if (head.payload_bytes >> 63U != 0) return malformed("Length beyond 63 bits");
  if (bytes.size() < head.head_bytes) return {FrameState::incomplete};
  for (std::size_t i = 0; i < head.mask.size(); ++i) {
    head.mask[i] = static_cast<std::uint8_t>(bytes[2 + length_bytes + i]);
  }
  return {FrameState::complete};
}

void unmask(char* to, std::string_view from, const std::array<std::uint8_t, 4>& mask, std::uint64_t offset) {
  std::array<std::uint8_t, 8> turned;
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = mask[(offset + i) & 3U];
  std::uint64_t key = 0;
  std::memcpy(&key, turned.data(), sizeof key);
  std::size_t i = 0;
  for (std::uint64_t word = 0; from.size() - i >= sizeof word; i += sizeof word) {
    std::memcpy(&word, from.data() + i, sizeof word);
    word ^= key;
    std::memcpy(to + i, &word, sizeof word);
  }
  for (; i < from.size(); ++i) to[i] = static_cast<char>(static_cast<unsigned char>(from[i]) ^ turned[i & 7U]);
}

std::string make_frame(Opcode opcode, std::string_view payload) {
  return frame_of(0x80U | static_cast<unsigned>(opcode), payload);
}

std::string make_deflated_frame(Opcode opcode, std::string_view deflated) {
  return frame_of(0x80U | deflated_bit | static_cast<unsigned>(opcode), deflated);
}

std::string make_close_frame(CloseCode code, std::string_view reason) {
  std::size_t length = std::min(reason.size(), control_payload_bytes_max - 2);
  while (length < reason.size() && length > 0 && (static_cast<unsigned char>(reason[length]) & 0xC0U) == 0x80U)
    --length;
  const auto number = static_cast<unsigned>(code);
  std::string payload;
  payload += static_cast<char>(number >> 8U);
  payload += static_cast<char>(number & 0xFFU);
  payload += reason.substr(0, length);
  return make_frame(Opcode::close, payload);
}

std::string_view payload_of(std::string_view frame) {
  const unsigned short_length = static_cast<unsigned char>(frame[1]);
  return frame.substr(short_length == length_64_bits ? 10 : short_length == length_16_bits ? 4 : 2);
}

bool is_valid_close_code(unsigned code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace carillon::channels::websocket
