#include "net/http/chunked.h"

#include <algorithm>
#include <optional>

namespace carillon::net::http {
namespace {

/// The size of a chunk from its line; none for what is no size. 15 digits are more than any limit allows.
std::optional<std::uint64_t> read_size(std::string_view line) {
  const std::string_view digits = line.substr(0, line.find(';'));
  if (digits.empty() || digits.size() > 15) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : digits) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<unsigned>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<unsigned>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
    size = size << 4U | digit;
  }
  return size;
}

}  // namespace

ChunkedDecoder::State ChunkedDecoder::decode(std::string_view bytes, std::size_t body_bytes_max, std::string& body,
                                             std::size_t& consumed) {
  consumed = 0;
  for (;;) {
    const std::string_view rest = bytes.substr(consumed);
    if (part_ == Part::data) {
      const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(chunk_left_, rest.size()));
      body.append(rest.substr(0, take));
      consumed += take;
      chunk_left_ -= take;
      if (chunk_left_ > 0) return State::more;
      part_ = Part::data_end;
      continue;
    }
    const std::size_t end = rest.find_first_of("\r\n");
    if (end == std::string_view::npos || (rest[end] == '\r' && end + 1 == rest.size())) {
      return rest.size() > line_bytes_max ? State::malformed : State::more;
    }
    if (rest[end] == '\n' || rest[end + 1] != '\n' || end > line_bytes_max) return State::malformed;
    const std::string_view line = rest.substr(0, end);
    consumed += end + 2;
    switch (part_) {
      case Part::size: {
        const auto size = read_size(line);
        if (!size) return State::malformed;
        if (*size > body_bytes_max - body.size()) return State::too_large;
        chunk_left_ = *size;
        part_ = *size == 0 ? Part::trailer : Part::data;
        break;
      }
      case Part::data_end:
        if (!line.empty()) return State::malformed;
        part_ = Part::size;
        break;
      case Part::trailer:
        if (line.empty()) return State::done;
        trailer_bytes_ += line.size();
        if (trailer_bytes_ > trailer_bytes_max) return State::malformed;
        break;
      case Part::data:
        break;
    }
  }
}

}  // namespace carillon::net::http
