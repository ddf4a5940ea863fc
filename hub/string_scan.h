// Passes over the text of a JSON string at the speed of memory: most of most large texts is here.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string_view>

namespace carillon::hub::json {

/// Where from `at` on, which begins a character, the first byte stands that is not plain text: a quote, a backslash, a
/// control character, or the beginning of what is not UTF-8 (the byte is then 0x80 or more). The text's size when there
/// is none.
std::size_t find_string_stop(std::string_view text, std::size_t at);

/// The same a character at a time: for the end of a text, for machines without SSE2, and to judge the other by.
std::size_t find_string_stop_simply(std::string_view text, std::size_t at);

}  // namespace carillon::hub::json
