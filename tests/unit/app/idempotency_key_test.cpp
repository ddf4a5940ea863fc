#include "app/idempotency_key.h"

#include <gtest/gtest.h>

#include <vector>

namespace carillon::app {
namespace {

using net::http::Field;

std::variant<std::optional<std::string>, net::http::Problem> read(const std::vector<Field>& fields) {
  net::http::Request request;
  request.fields = fields;
  return read_idempotency_key(request, 40);
}
std::string key(std::string_view value) {
  const auto found = read({{"Host", "hub"}, {"idempotency-key", value}});
  if (const auto* problem = std::get_if<net::http::Problem>(&found)) {
    EXPECT_EQ(problem->status, 400);
    EXPECT_EQ(problem->code, "invalid_idempotency_key");
    return "refused: " + problem->detail;
  }
  return std::get<0>(found).value();
}

TEST(IdempotencyKey, IsTheSameWithQuotesAndWithout) {
  EXPECT_EQ(key("8e03978e-40d5-43e8-bc93-6894a57f9324"), "8e03978e-40d5-43e8-bc93-6894a57f9324");
  EXPECT_EQ(key("\"8e03978e-40d5-43e8-bc93-6894a57f9324\""), "8e03978e-40d5-43e8-bc93-6894a57f9324");
  EXPECT_EQ(key("order:7;retry=1"), "order:7;retry=1");
  EXPECT_EQ(key(R"("a \"quote\", a \\ and a blank")"), R"(a "quote", a \ and a blank)");
}

TEST(IdempotencyKey, NeedNotBeThere) { EXPECT_EQ(std::get<0>(read({{"Host", "hub"}})), std::nullopt); }

TEST(IdempotencyKey, WhatIsNoKeyIsRefusedWithAWord) {
  for (const char* value : {"", "\"\"", "\"", "\"a", "a\"", "\"a\"b\"", "\"a\\\"", "\"a\\b\"", "\"a\";x=1", "a b",
                            "a,b", "a\\b", "\xC3\xA4", "\"\xC3\xA4\"", "\"a\tb\""}) {
    EXPECT_TRUE(key(value).starts_with("refused: The Idempotency-Key ")) << value;
  }
  EXPECT_EQ(key(std::string(40, 'x')), std::string(40, 'x'));
  EXPECT_EQ(key(std::string(41, 'x')), "refused: The Idempotency-Key has 41 characters; at most 40 are taken.");
  EXPECT_EQ(key('"' + std::string(40, 'x') + '"'), std::string(40, 'x')) << "quotes are not of the key";
  const auto twice = read({{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}});
  EXPECT_TRUE(std::holds_alternative<net::http::Problem>(twice));
}

}  // namespace
}  // namespace carillon::app
