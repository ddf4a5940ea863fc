// "Did you mean …?": the word that somebody may have wanted to type.
//
// Threads: pure function; any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace carillon::app {

/// The one of `words` that takes the fewest insertions, deletions and substitutions (Levenshtein's distance) to become
/// `typed`; empty when even that is more than a third of it away.
std::string nearest_word(std::string_view typed, const std::vector<std::string>& words);

/// " (did you mean 'x'?)", or nothing.
std::string did_you_mean(const std::string& word);

}  // namespace carillon::app
