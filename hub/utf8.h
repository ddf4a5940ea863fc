// UTF-8 (RFC 3629; Unicode 15, table 3-7).
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace carillon::hub {

/// The length of the sequence at `at`, 0 when there is none: overlong forms, surrogates and what lies beyond U+10FFFF
/// are none.
std::size_t utf8_length(std::string_view text, std::size_t at);

bool is_utf8(std::string_view text);

}  // namespace carillon::hub
