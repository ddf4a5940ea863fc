// UTF-8 (RFC 3629; Unicode 15, table 3-7).
//
// Threads: pure functions; a checker belongs to whoever feeds it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon::hub {

/// The length of the sequence at `at`, 0 when there is none: overlong forms, surrogates and what lies beyond U+10FFFF
/// are none.
std::size_t utf8_length(std::string_view text, std::size_t at);

bool is_utf8(std::string_view text);

/// Checks a text that comes in pieces, cut anywhere.
class Utf8Checker {
 public:
  /// False at the first byte after which nothing could make the text UTF-8. What is taken after that means nothing.
  bool take(std::string_view piece);
  /// Whether the text may end here.
  bool between_characters() const { return awaited_ == 0; }

 private:
  std::uint8_t awaited_ = 0;  ///< bytes that the present character still lacks
  std::uint8_t least_ = 0x80;
  std::uint8_t most_ = 0xBF;  ///< between which the next of them must lie
};

}  // namespace carillon::hub
