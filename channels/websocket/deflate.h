// permessage-deflate (RFC 7692, section 7.2): whole messages deflated and inflated, each by itself, for no context is
// kept from one message to the next. So one of each serves any number of connections, and a connection keeps nothing.
//
//   message ──deflate, sync flush──▶ blocks … 00 00 ff ff        the last four bytes are not sent,
//   payload … + 00 00 ff ff ──inflate──▶ message                  and put back before inflating
//
// Threads: each belongs to one thread. Memory comes with the first use: about 150 KiB for a deflater with a window of
// 15 bits, 60 KiB for an inflater.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct z_stream_s;

namespace carillon::channels::websocket {

inline constexpr int window_bits_max = 15;
/// zlib does not deflate with a window of 8 bits.
inline constexpr int deflate_window_bits_min = 9;

class Deflater {
 public:
  /// `level` from 1 (fast) to 9 (small); `window_bits` from deflate_window_bits_min to window_bits_max.
  explicit Deflater(int level, int window_bits = window_bits_max);
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// What a frame carries for this message, valid until the next call; none where it would not be smaller.
  std::optional<std::string_view> deflate(std::string_view message);

 private:
  int level_;
  int window_bits_;
  std::unique_ptr<z_stream_s> stream_;
  std::string out_;
};

class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class Outcome : std::uint8_t { done, malformed, too_big };

  /// Makes `message` what this payload was deflated from; stops where it passes `message_bytes_max`. What `message` is
  /// unless done is not said.
  Outcome inflate(std::string_view payload, std::size_t message_bytes_max, std::string& message);

 private:
  std::unique_ptr<z_stream_s> stream_;
  std::unique_ptr<char[]> chunk_;
};

/// No payload of a message of that size is longer: an encoder that cannot shrink it adds this much at most. What is
/// longer inflates to more, or was made to waste.
constexpr std::size_t deflated_bytes_max(std::size_t message_bytes) {
  return message_bytes + message_bytes / 8 + message_bytes / 64 + 64;
}

}  // namespace carillon::channels::websocket
