#include "hub/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace carillon::hub {
namespace {

/// All of one to three bytes after nothing, after ASCII and before it, so that each comes at each place in a word.
template <typename Visit>
void for_each_short_text(Visit&& visit) {
  // Bytes at which the table of the standard changes.
  const std::string edges(
      "\x00\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xDF\xE0\xE1\xEC\xED\xEE\xEF\xF0\xF1\xF3\xF4\xF5\xFF", 24);
  for (const char a : edges) {
    visit(std::string{a});
    for (const char b : edges) {
      visit(std::string{a, b});
      for (const char c : edges) {
        visit(std::string{a, b, c});
        for (const char d : edges) visit(std::string{a, b, c, d});
      }
    }
  }
}

/// By the table of sequences, one after the other.
bool by_sequences(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

TEST(Utf8, AgreesWithTheTableOfSequences) {
  for_each_short_text(
      [](const std::string& text) { ASSERT_EQ(is_utf8(text), by_sequences(text)) << testing::PrintToString(text); });
}

TEST(Utf8, IsTheSameWhereverItStandsAmongAscii) {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      EXPECT_TRUE(is_utf8(std::string(before, 'a') + "\xF0\x9F\x94\x94" + std::string(after, 'b')));
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + "\xFF" + std::string(after, 'b')));
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + "\xE2\x82" + std::string(after, 'b')));
    }
  }
}

TEST(Utf8Checker, SaysTheSameHoweverTheTextIsCut) {
  for_each_short_text([](const std::string& text) {
    const bool whole = is_utf8(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
      Utf8Checker checker;
      const bool pieces =
          checker.take(text.substr(0, cut)) && checker.take(text.substr(cut)) && checker.between_characters();
      ASSERT_EQ(pieces, whole);
    }
  });
}

TEST(Utf8Checker, SaysNoAtTheByteThatMakesItCertain) {
  // A text that can still become UTF-8 is not refused, one that cannot is: at each length, something may follow it.
  for_each_short_text([](const std::string& text) {
    Utf8Checker checker;
    bool can_become = false;
    for (const char* end : {"", "\x80", "\x80\x80", "\x80\x80\x80", "\xA0\x80", "\x90\x80\x80"}) {
      can_become = can_become || by_sequences(text + end);
    }
    ASSERT_EQ(checker.take(text), can_become) << testing::PrintToString(text);
  });
}

}  // namespace
}  // namespace carillon::hub
