#include "app/nearest_word.h"

#include <algorithm>
#include <numeric>

namespace carillon::app {
namespace {

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_word(std::string_view typed, const std::vector<std::string>& words) {
  std::string nearest;
  std::size_t least = typed.size() / 3 + 1;
  for (const std::string& word : words) {
    const std::size_t away = distance(typed, word);
    if (away < least) {
      least = away;
      nearest = word;
    }
  }
  return nearest;
}

std::string did_you_mean(const std::string& word) { return word.empty() ? "" : " (did you mean '" + word + "'?)"; }

}  // namespace carillon::app
