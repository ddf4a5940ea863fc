#include "hub/string_scan.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "hub/utf8.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace carillon::hub::json {
namespace {

/// What a byte within a string means: 0 goes on, the rest needs a look.
constexpr std::array<std::uint8_t, 256> make_string_table() {
  std::array<std::uint8_t, 256> table{};
  for (std::size_t c = 0; c < 0x20; ++c) table[c] = 1;
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = 1;
  table['"'] = 1;
  table['\\'] = 1;
  return table;
}
constexpr auto string_table = make_string_table();

/// Where the first byte stands that is not plain ASCII text, eight bytes at a time.
std::size_t find_special(std::string_view text, std::size_t at) {
  if constexpr (std::endian::native == std::endian::little) {
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t high_bits = 0x80 * ones;
    // The high bit of each byte that is less than `limit`; sound up to the first such byte, and only that is asked for.
    const auto less = [](std::uint64_t bytes, std::uint64_t limit) { return (bytes - limit * ones) & ~bytes; };
    for (; at + 8 <= text.size(); at += 8) {
      std::uint64_t bytes = 0;
      std::memcpy(&bytes, text.data() + at, sizeof bytes);
      const std::uint64_t special =
          (bytes | less(bytes, 0x20) | less(bytes ^ '"' * ones, 1) | less(bytes ^ '\\' * ones, 1)) & high_bits;
      if (special != 0) return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
    }
  }
  while (at < text.size() && string_table[static_cast<unsigned char>(text[at])] == 0) ++at;
  return at;
}

#if defined(__SSE2__)

constexpr std::size_t block_bytes = 16;

__m128i load(std::string_view text, std::size_t at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + at));
}
__m128i each(unsigned byte) { return _mm_set1_epi8(static_cast<char>(byte)); }
std::uint32_t bits(__m128i bytes) { return static_cast<std::uint32_t>(_mm_movemask_epi8(bytes)); }

/// All ones in each byte that is not plain ASCII text. Bytes from 0x80 on are negative, and so less than a blank.
__m128i special_bytes(__m128i block) {
  const __m128i delimiters = _mm_or_si128(_mm_cmpeq_epi8(block, each('"')), _mm_cmpeq_epi8(block, each('\\')));
  return _mm_or_si128(delimiters, _mm_cmplt_epi8(block, each(0x20)));
}

/// UTF-8 by blocks of 16 bytes, each byte a bit: which bytes continue a character must be those that the bytes before
/// them ask for, and behind some of these less is allowed (Unicode 15, table 3-7).
class Utf8Blocks {
 public:
  /// Looks at the bytes of `mask`, the low ones of the block; true where all is well so far.
  bool take(__m128i block, std::uint32_t mask) {
    // Compared as signed numbers: 0x80…0xBF are the least.
    const std::uint32_t above_bf = bits(_mm_cmpgt_epi8(block, each(0xBF)));
    const std::uint32_t high = bits(block);
    const std::uint32_t continues = high & ~above_bf;
    const std::uint32_t leads_3 = bits(_mm_cmpgt_epi8(block, each(0xDF))) & high;  // of three bytes and more
    const std::uint32_t leads_4 = bits(_mm_cmpgt_epi8(block, each(0xEF))) & high;
    const std::uint32_t leads_2 = high & above_bf;  // of two bytes and more
    const std::uint32_t asked = asked_ | leads_2 << 1U | leads_3 << 2U | leads_4 << 3U;
    const std::uint32_t impossible = bits(_mm_cmpeq_epi8(_mm_and_si128(block, each(0xFE)), each(0xC0))) |
                                     (bits(_mm_cmpgt_epi8(block, each(0xF4))) & high);
    std::uint32_t wrong = (asked ^ continues) | impossible;
    const std::uint32_t e0 = bits(_mm_cmpeq_epi8(block, each(0xE0)));
    const std::uint32_t ed = bits(_mm_cmpeq_epi8(block, each(0xED)));
    const std::uint32_t f0 = bits(_mm_cmpeq_epi8(block, each(0xF0)));
    const std::uint32_t f4 = bits(_mm_cmpeq_epi8(block, each(0xF4)));
    const std::uint32_t behind_e0 = behind_e0_ | e0 << 1U;
    const std::uint32_t behind_ed = behind_ed_ | ed << 1U;
    const std::uint32_t behind_f0 = behind_f0_ | f0 << 1U;
    const std::uint32_t behind_f4 = behind_f4_ | f4 << 1U;
    if ((behind_e0 | behind_ed | behind_f0 | behind_f4) != 0) {
      const std::uint32_t below_a0 = bits(_mm_cmplt_epi8(block, each(0xA0)));
      const std::uint32_t below_90 = bits(_mm_cmplt_epi8(block, each(0x90)));
      wrong |= (behind_e0 & below_a0) | (behind_ed & ~below_a0) | (behind_f0 & below_90) | (behind_f4 & ~below_90);
    }
    asked_ = asked >> block_bytes;
    behind_e0_ = behind_e0 >> block_bytes;
    behind_ed_ = behind_ed >> block_bytes;
    behind_f0_ = behind_f0 >> block_bytes;
    behind_f4_ = behind_f4 >> block_bytes;
    return (wrong & mask) == 0;
  }

  /// True where the next byte begins a character.
  bool between_characters() const { return asked_ == 0; }

 private:
  // Carried over from the block before: bit 0 is of the next block's first byte.
  std::uint32_t asked_ = 0;
  std::uint32_t behind_e0_ = 0;
  std::uint32_t behind_ed_ = 0;
  std::uint32_t behind_f0_ = 0;
  std::uint32_t behind_f4_ = 0;
};

/// The beginning of the character that reaches up to `at` or beyond it, if there is one; else `at`.
std::size_t character_before(std::string_view text, std::size_t from, std::size_t at) {
  for (std::size_t back = 1; back <= 3 && at - back >= from && at >= back; ++back) {
    const auto byte = static_cast<unsigned char>(text[at - back]);
    if (byte >= 0xC0) return at - back;
    if (byte < 0x80) break;
  }
  return at;
}

/// Passes over plain ASCII text, and stands at the block where that ends.
std::size_t skip_ascii_blocks(std::string_view text, std::size_t at) {
  for (; at + 4 * block_bytes <= text.size(); at += 4 * block_bytes) {
    const __m128i first = _mm_or_si128(special_bytes(load(text, at)), special_bytes(load(text, at + block_bytes)));
    const __m128i second =
        _mm_or_si128(special_bytes(load(text, at + 2 * block_bytes)), special_bytes(load(text, at + 3 * block_bytes)));
    if (bits(_mm_or_si128(first, second)) != 0) break;
  }
  return at;
}

#endif

}  // namespace

std::size_t find_string_stop_simply(std::string_view text, std::size_t at) {
  for (;;) {
    at = find_special(text, at);
    if (at == text.size() || static_cast<unsigned char>(text[at]) < 0x80) return at;
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
}

std::size_t find_string_stop(std::string_view text, std::size_t at) {
#if defined(__SSE2__)
  const std::size_t from = at;
  Utf8Blocks utf8;
  for (; at + block_bytes <= text.size(); at += block_bytes) {
    const __m128i block = load(text, at);
    const std::uint32_t special = bits(special_bytes(block));
    if (special == 0 && utf8.between_characters()) {
      at = skip_ascii_blocks(text, at + block_bytes) - block_bytes;
      continue;
    }
    const std::uint32_t high = bits(block);
    const std::uint32_t stops = special & ~high;  // ASCII that is not plain text
    const std::uint32_t first_stop = stops & (~stops + 1U);
    const std::uint32_t up_to_it = stops == 0 ? 0xFFFFU : first_stop | (first_stop - 1U);
    const bool plain = (high & up_to_it) == 0 && utf8.between_characters();
    if (!plain && !utf8.take(block, up_to_it)) break;  // what is wrong is found below
    if (stops != 0) return at + static_cast<std::size_t>(std::countr_zero(stops));
  }
  at = character_before(text, from, at);
#endif
  return find_string_stop_simply(text, at);
}

}  // namespace carillon::hub::json
