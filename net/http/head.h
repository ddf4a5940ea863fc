// The head of an HTTP/1.1 request, read strictly (RFC 9112): what two readers could understand differently is refused,
// for a proxy in front might be the other reader (request smuggling).
//
// Threads: pure; the head points into the bytes it was read from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/http/message.h"

namespace carillon::net::http {

enum class Framing : std::uint8_t { none, length, chunked };

struct Head {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;
  std::string_view path;
  std::string_view query;
  int minor_version = 1;
  std::vector<Field> fields;  ///< reused from head to head

  Framing framing = Framing::none;
  std::uint64_t content_length = 0;
  bool keep_alive = true;
  bool expects_continue = false;

  std::size_t bytes = 0;  ///< of the head, with the empty line
};

struct HeadLimits {
  std::size_t head_bytes_max = 16 * 1024;
  std::size_t fields_max = 100;
};

enum class HeadState : std::uint8_t { complete, incomplete, refused };

/// What became of reading a head; `status` and `detail` (a literal) say why it was refused.
struct HeadResult {
  HeadState state;
  int status = 400;
  std::string_view detail{};
};

/// Reads the head at the start of `bytes`.
HeadResult read_head(std::string_view bytes, const HeadLimits& limits, Head& head);

/// RFC 9110, section 5.6.2.
bool is_token(std::string_view text);

/// Whether it holds nothing but 0x21 to 0x7E; so does nothing at all.
bool is_visible_ascii(std::string_view text);
}  // namespace carillon::net::http
