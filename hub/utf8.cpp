#include "hub/utf8.h"

#include <cstring>

namespace carillon::hub {
namespace {

/// How many bytes at the start of `text` are ASCII, counted in words of eight.
std::size_t ascii_words(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  std::size_t bytes = 0;
  for (std::uint64_t word = 0; text.size() - bytes >= sizeof word; bytes += sizeof word) {
    std::memcpy(&word, text.data() + bytes, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  return bytes;
}

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool overlong = lead == 0xF0 && byte(1) < 0x90;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_utf8(std::string_view text) {
  Utf8Checker checker;
  return checker.take(text) && checker.between_characters();
}

bool Utf8Checker::take(std::string_view piece) {
  for (std::size_t i = 0; i < piece.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(piece[i]);
    if (awaited_ > 0) {
      if (byte < least_ || byte > most_) return false;
      --awaited_;
      least_ = 0x80;
      most_ = 0xBF;
    } else if (byte < 0x80) {
      i += ascii_words(piece.substr(i + 1));
    } else {
      if (byte < 0xC2 || byte > 0xF4) return false;
      awaited_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
      if (byte == 0xE0) least_ = 0xA0;  // less were overlong
      if (byte == 0xED) most_ = 0x9F;   // more were a surrogate
      if (byte == 0xF0) least_ = 0x90;  // less were overlong
      if (byte == 0xF4) most_ = 0x8F;   // more were beyond U+10FFFF
    }
  }
  return true;
}

}  // namespace carillon::hub
