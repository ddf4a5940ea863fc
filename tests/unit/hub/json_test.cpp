#include "hub/json.h"

#include <gtest/gtest.h>

#include <string>

namespace carillon::hub::json {
namespace {

bool sound(std::string_view text) { return std::holds_alternative<Value>(check(text)); }
std::string fault(std::string_view text) {
  const auto result = check(text);
  const auto* error = std::get_if<Error>(&result);
  return error == nullptr ? "" : error->what;
}

TEST(Json, TakesWhatRfc8259Allows) {
  for (const char* text : {"null", "true", "false", "0", "-0", "1.5e+10", "1E5", "\"\"", "\"\\u00e4\\n\\/\"",
                           "\"\\ud83d\\ude00\"", "[]", "{}", " [1, 2 ,3] ", "{\"a\":{\"b\":[null]}}",
                           "\"\xC3\xA4\xF0\x9F\x98\x80\"", "123456789012345678901234567890"}) {
    EXPECT_TRUE(sound(text)) << text << ": " << fault(text);
  }
}

TEST(Json, RefusesAllElse) {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "True",
                           "01",
                           "-",
                           "1.",
                           ".5",
                           "1e",
                           "+1",
                           "'a'",
                           "\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\n\"",
                           "[1,]",
                           "[,1]",
                           "[1 2]",
                           "{,}",
                           "{\"a\"}",
                           "{\"a\":}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{1:2}",
                           "[",
                           "{",
                           "[}",
                           "1 2",
                           "{} x",
                           "\xEF\xBB\xBF{}",
                           "NaN",
                           "Infinity",
                           "// c\n1",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\xC0\xAF\"",
                           "\"\xED\xA0\x80\"",
                           "\"\xF4\x90\x80\x80\"",
                           "\"\xE4\"",
                           "\"\x80\""}) {
    EXPECT_FALSE(sound(text)) << text;
  }
}

TEST(Json, EveryPrefixOfASoundTextIsRefused) {
  const std::string text = R"({"a":[1.5e3,"\u00e4\ud83d\ude00",{"b":null}],"c":true})";
  ASSERT_TRUE(sound(text));
  for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(sound(text.substr(0, cut))) << cut;
}

TEST(Json, LooksAtEveryByteOfAStringWhereverItStands) {
  for (std::size_t at = 0; at < 20; ++at) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::string text = '"' + std::string(20, 'x') + '"';
      text[1 + at] = static_cast<char>(byte);
      const bool ends_early = byte == '"';
      const bool escapes = byte == '\\';  // of an x, which is none
      const bool sound = byte >= 0x20 && byte < 0x80 && !ends_early && !escapes;
      EXPECT_EQ(std::holds_alternative<Value>(check(text)), sound) << at << ' ' << byte;
    }
  }
}

TEST(Json, LimitsTheDepth) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(sound(nested(depth_max)));
  EXPECT_FALSE(sound(nested(depth_max + 1)));
  EXPECT_FALSE(sound(std::string(10'000'000, '[')));
}

TEST(Json, PointsAtMembersAsTheyWereWritten) {
  const auto parsed = parse_object(R"( { "status" : "run\u006eing", "result": {"x": [1, 2]} , "n":-7 } )");
  const auto& object = std::get<Object>(parsed);
  ASSERT_EQ(object.members().size(), 3U);
  EXPECT_EQ(object.find("status")->string(), "running");
  EXPECT_EQ(object.find("result")->text, R"({"x": [1, 2]})");
  EXPECT_EQ(object.find("n")->integer(), -7);
  EXPECT_EQ(object.find("missing"), nullptr);
}

TEST(Json, RefusesAMemberThatStandsTwice) {
  EXPECT_TRUE(std::holds_alternative<Error>(parse_object(R"({"a":1,"\u0061":2})")));
  EXPECT_TRUE(std::holds_alternative<Error>(parse_object("[]")));
}

TEST(Json, RefusesAnObjectWithTooManyMembers) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text.append(i > 0 ? "," : "").append("\"").append(std::to_string(i)).append("\":0");
  EXPECT_TRUE(std::holds_alternative<Error>(parse_object(text + "}")));
}

/// Notes what it is shown: the element's kind and its members' names.
struct Shown final : ElementSink {
  void take(const Value& element, const Object& members) override {
    text.append(to_text(element.kind)).append("=").append(element.text);
    for (const Member& member : members.members()) text += ":" + member.name;
    text += ";";
  }
  std::string text;
};

TEST(Json, ShowsTheElementsOfAListAsTheyAreChecked) {
  Shown shown;
  const auto parsed = parse_object_of_list(
      R"({"x":[{"no":1}], "list" : [ {"a":1,"b":[{"c":2}]} , 5, [6], {} ], "y":{"list":[7]}})", "list", shown);
  const auto& object = std::get<Object>(parsed);
  EXPECT_EQ(shown.text, R"(object={"a":1,"b":[{"c":2}]}:a:b;number=5;array=[6];object={};)");
  EXPECT_EQ(object.members().size(), 3U);
  EXPECT_EQ(object.find("list")->kind, Kind::array);
  EXPECT_EQ(object.find("list")->text, R"([ {"a":1,"b":[{"c":2}]} , 5, [6], {} ])");
}

TEST(Json, AnObjectOfAListIsCheckedAsStrictlyAsAnyOther) {
  const auto refused = [](std::string_view text, std::size_t depth = depth_max) {
    Shown shown;
    return std::holds_alternative<Error>(parse_object_of_list(text, "list", shown, depth));
  };
  for (const char* text :
       {"", "[]", R"({"list":[)", R"({"list":[1,]})", R"({"list":[1 2]})", R"({"list":[{"a":1,"a":2}]})",
        R"({"list":[],"list":[]})", R"({"list":[]} x)", R"({"list":["\ud800"]})", R"({"list":[{"a"}]})"}) {
    EXPECT_TRUE(refused(text)) << text;
  }
  const std::string text = R"({"list":[{"a":[1]}, 2 ]})";
  EXPECT_FALSE(refused(text));
  for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_TRUE(refused(text.substr(0, cut))) << cut;
  EXPECT_FALSE(refused(text, 4));
  EXPECT_TRUE(refused(text, 3));
  EXPECT_FALSE(refused(R"({"list":5})"));
  EXPECT_FALSE(refused(R"({})"));
}

TEST(Json, ListsElements) {
  const auto list = elements_of(std::get<Value>(check("[ 1 , \"a\",[], {} ]")));
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[1].string(), "a");
  EXPECT_EQ(list[3].kind, Kind::object);
}

TEST(Json, WritesStringsThatReadBackAsTheSame) {
  const std::string text = std::string("a\"\\/\b\f\n\r\t\x01") + '\0' + "\x7F\xC3\xA4\xF0\x9F\x98\x80";
  std::string out;
  append_string(out, text);
  const auto checked = check(out);
  ASSERT_TRUE(std::holds_alternative<Value>(checked)) << out;
  EXPECT_EQ(std::get<Value>(checked).string(), text);
}

TEST(Json, WritesInvalidUtf8AsReplacementCharacters) {
  std::string out;
  append_string(out, "a\xFF\xC3");
  EXPECT_EQ(out, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace carillon::hub::json
