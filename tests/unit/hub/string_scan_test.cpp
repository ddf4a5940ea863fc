// The fast way over a string's text is held to the simple one: whatever stands in it, and wherever its blocks lie.
#include "hub/string_scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace carillon::hub::json {
namespace {

/// Characters of each length, at the edges of what is allowed; delimiters; and what is no UTF-8.
const std::vector<std::string>& parts() {
  static const std::vector<std::string> all{"a",
                                            "plain text, rather long",
                                            "\x7F",
                                            "\xC2\x80",
                                            "\xDF\xBF",
                                            "\xE0\xA0\x80",
                                            "\xED\x9F\xBF",
                                            "\xEE\x80\x80",
                                            "\xEF\xBF\xBF",
                                            "\xF0\x90\x80\x80",
                                            "\xF4\x8F\xBF\xBF",
                                            "\xD0\xA1\xD1\x8A\xD0\xB5"};
  return all;
}
const std::vector<std::string>& stops() {
  static const std::vector<std::string> all{"\"",
                                            "\\",
                                            "\x1F",
                                            std::string(1, '\0'),
                                            "\x80",
                                            "\xBF",
                                            "\xC0\x80",
                                            "\xC1\xBF",
                                            "\xC2",
                                            "\xDF\x7F",
                                            "\xE0\x9F\xBF",
                                            "\xE0\xA0",
                                            "\xED\xA0\x80",
                                            "\xE4\xB8",
                                            "\xF0\x8F\xBF\xBF",
                                            "\xF0\x90\x80",
                                            "\xF4\x90\x80\x80",
                                            "\xF5\x80\x80\x80",
                                            "\xFF",
                                            "\xE2\x82\"",
                                            "\xF0\x9F\x98\\"};
  return all;
}

TEST(StringScan, StopsWhereTheSimpleWayDoesWhereverThatIs) {
  for (const std::string& stop : stops()) {
    for (std::size_t before = 0; before < 70; ++before) {
      for (const std::string& part : parts()) {
        std::string text;
        while (text.size() < before) text += text.size() + part.size() <= before ? part : std::string("x");
        text += stop;
        ASSERT_EQ(find_string_stop_simply(text, 0), before) << before;
        for (const std::size_t behind : {0, 1, 2, 3, 15, 16, 17, 64, 80}) {
          const std::string whole = text + std::string(behind, 'y');
          ASSERT_EQ(find_string_stop(whole, 0), before) << before << ' ' << behind << ' ' << part << ' ' << stop;
        }
      }
    }
  }
}

TEST(StringScan, PassesOverAllThatIsPlain) {
  for (const std::string& part : parts()) {
    std::string text;
    for (int i = 0; i < 100; ++i) {
      text += part;
      ASSERT_EQ(find_string_stop(text, 0), text.size()) << part << i;
    }
  }
}

TEST(StringScan, AgreesWithTheSimpleWayOnWhateverThereIs) {
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
  };
  for (int round = 0; round < 50'000; ++round) {
    std::string text;
    const std::size_t count = below(30);
    for (std::size_t i = 0; i < count; ++i) {
      text += below(40) == 0 ? stops()[below(stops().size())] : parts()[below(parts().size())];
    }
    if (!text.empty() && below(3) == 0) text[below(text.size())] = static_cast<char>(below(256));
    ASSERT_EQ(find_string_stop(text, 0), find_string_stop_simply(text, 0)) << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace carillon::hub::json
