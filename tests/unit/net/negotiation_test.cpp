#include "net/http/negotiation.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>
#include <vector>

namespace carillon::net::http {
namespace {

using Choice = AcceptedCodings::Choice;

Choice choice(std::initializer_list<std::string_view> fields) {
  AcceptedCodings codings;
  for (const std::string_view field : fields) codings.add(field);
  return codings.choice();
}

TEST(AcceptedCodings, AreReadAsRfc9110HasIt) {
  struct Row {
    std::string_view field;
    Choice choice;
  };
  for (const auto& [field, expected] : {
           Row{"", Choice::plain},
           {"gzip", Choice::gzip_if_worth},
           {"GZip", Choice::gzip_if_worth},
           {"x-gzip", Choice::gzip_if_worth},
           {"gzip, deflate, br, zstd", Choice::gzip_if_worth},
           {"br, deflate", Choice::plain},
           {"*", Choice::gzip_if_worth},
           {"br, *;q=0.5", Choice::gzip_if_worth},
           {"gzip;q=0", Choice::plain},
           {"gzip;q=0.000", Choice::plain},
           {"gzip;q=0.001", Choice::gzip_if_worth},
           {"gzip;q=0, *", Choice::plain},
           {"*;q=0", Choice::plain},
           {"identity", Choice::plain},
           {"identity, gzip", Choice::gzip_if_worth},
           {"gzip;q=0.5, identity", Choice::plain},
           {"gzip;q=0.5, identity;q=0.6", Choice::plain},
           {"gzip;q=0.6, identity;q=0.6", Choice::gzip_if_worth},
           {"gzip;q=0.2, *;q=0.5", Choice::plain},
           {"identity;q=0", Choice::plain},  // nothing is left; what is sent then is up to the server
           {"identity;q=0, gzip", Choice::gzip_only},
           {"gzip, *;q=0", Choice::gzip_only},
           {"gzip;q=0.1, identity;q=0", Choice::gzip_only},
           {"gzip ; q=0.5", Choice::gzip_if_worth},
           {"gzip;Q=0", Choice::plain},
           {"gzip;q=2", Choice::plain},
           {"gzip;q=1.001", Choice::plain},
           {"gzip;q=0.1234", Choice::plain},
           {"gzip;q=-1", Choice::plain},
           {"gzip;q=", Choice::plain},
           {"gzip;level=9", Choice::plain},
           {",, ,gzip,,", Choice::gzip_if_worth},
           {";;,;q=1,=", Choice::plain},
       }) {
    EXPECT_EQ(choice({field}), expected) << field;
  }
}

TEST(AcceptedCodings, SeveralFieldsAreOneList) {
  EXPECT_EQ(choice({"br", "gzip"}), Choice::gzip_if_worth);
  EXPECT_EQ(choice({"gzip", "identity;q=0"}), Choice::gzip_only);
  EXPECT_EQ(choice({}), Choice::plain);
}

TEST(AcceptedType, WhatNamesItMoreCloselyGoesFirst) {
  struct Row {
    std::vector<std::string_view> fields;
    int weight;
    bool named;
  };
  for (const auto& [fields, weight, named] : {
           Row{{}, 1000, false},
           {{"text/event-stream"}, 1000, true},
           {{"Text/Event-Stream;q=0.5"}, 500, true},
           {{"text/event-stream ; charset=utf-8 ; q=0.25"}, 250, true},
           {{"*/*"}, 1000, false},
           {{"text/*;q=0.3"}, 300, true},
           {{"text/event-stream;q=0.1, text/*;q=0.2, */*;q=0.3"}, 100, true},
           {{"*/*;q=0.3", "text/*;q=0.2", "text/event-stream;q=0.1"}, 100, true},
           {{"text/event-stream;q=0, */*"}, 0, true},
           {{"application/json"}, 0, false},
           {{"application/*, text/html"}, 0, false},
           {{"text/event-stream2, text"}, 0, false},
           {{"text/html;x=\"a, text/event-stream\""}, 0, false},
           {{"text/event-stream;q=2, text/html"}, 0, false},
       }) {
    AcceptedType type("text/event-stream");
    for (const std::string_view field : fields) type.add(field);
    EXPECT_EQ(type.weight(), weight) << (fields.empty() ? "" : fields.front());
    EXPECT_EQ(type.named(), named) << (fields.empty() ? "" : fields.front());
  }
}

TEST(JsonType, IsJsonInUtf8AndNothingElse) {
  for (const std::string_view json :
       {"application/json", "Application/JSON", "application/json;charset=utf-8", "application/json; charset=UTF-8",
        "application/json ; charset=\"utf-8\"", "application/json;", "application/json; ;charset=utf-8"}) {
    EXPECT_TRUE(is_json_type(json)) << json;
  }
  for (const std::string_view other :
       {"", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/merge-patch+json",
        "application/problem+json", "application/jsonx", "application", "application/json; charset=utf-16",
        "application/json; charset=", "application/json; charset=\"utf-8", "application/json; version=1",
        "application/json, text/plain", "application/json charset=utf-8", "application/json; charset = utf-8"}) {
    EXPECT_FALSE(is_json_type(other)) << other;
  }
}

TEST(JsonType, AFormIsWhatClientsSayUnasked) {
  EXPECT_TRUE(is_unsaid_type("application/x-www-form-urlencoded"));
  EXPECT_TRUE(is_unsaid_type("Application/X-WWW-Form-Urlencoded; charset=utf-8"));
  for (const std::string_view other : {"", "multipart/form-data", "text/plain", "application/json"}) {
    EXPECT_FALSE(is_unsaid_type(other)) << other;
  }
}

TEST(ContentEncoding, NothingIsTheSameAsIdentity) {
  EXPECT_TRUE(is_identity("identity"));
  EXPECT_TRUE(is_identity("Identity"));
  EXPECT_TRUE(is_identity(""));
  for (const std::string_view other : {"gzip", "identity, gzip", "identity;q=1", "br"}) {
    EXPECT_FALSE(is_identity(other)) << other;
  }
}

}  // namespace
}  // namespace carillon::net::http
