// The chunked transfer coding (RFC 9112, section 7.1), decoded as it comes in.
//
//   chunked-body = *( size-in-hex [;extension] CRLF data CRLF ) 0 [;extension] CRLF *( trailer CRLF ) CRLF
//
// Extensions and trailers are passed over, within a limit.
//
// Threads: belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace carillon::net::http {

class ChunkedDecoder {
 public:
  enum class State : std::uint8_t { more, done, malformed, too_large };

  /// Takes bytes and appends what they carry to `body`, to at most `body_bytes_max`. `consumed` says how many were
  /// taken; after `more`, offer the rest again with what comes behind it.
  State decode(std::string_view bytes, std::size_t body_bytes_max, std::string& body, std::size_t& consumed);

 private:
  static constexpr std::size_t line_bytes_max = 4096;
  static constexpr std::size_t trailer_bytes_max = 16 * 1024;

  enum class Part : std::uint8_t { size, data, data_end, trailer };

  Part part_ = Part::size;
  std::uint64_t chunk_left_ = 0;
  std::size_t trailer_bytes_ = 0;
};

}  // namespace carillon::net::http
