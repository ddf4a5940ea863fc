#include "channels/polling/wait.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::channels::polling {
namespace {

struct Asked {
  std::int64_t seconds;
  bool preferred;
  bool wrong;
  friend bool operator==(const Asked&, const Asked&) = default;
};

Asked ask(std::string_view query, const std::vector<std::string>& preferences = {}) {
  std::vector<net::http::Field> fields{{"Accept", "*/*"}};
  for (const auto& preference : preferences) fields.push_back({"prefer", preference});
  net::http::Request request;
  request.query = query;
  request.fields = fields;
  QueryReader reader(request);
  const Wait wait = take_wait(reader, request, 60);
  return {wait.seconds, wait.preferred, reader.end().has_value()};
}

TEST(Wait, IsReadFromTheQueryStrictly) {
  EXPECT_EQ(ask(""), (Asked{0, false, false}));
  EXPECT_EQ(ask("wait=0"), (Asked{0, false, false}));
  EXPECT_EQ(ask("wait=60"), (Asked{60, false, false}));
  for (const char* wrong : {"wait=61", "wait=-1", "wait=", "wait", "wait=1.5", "wait=1s", "wait=1&wait=1"}) {
    EXPECT_TRUE(ask(wrong).wrong) << wrong;
  }
}

TEST(Wait, IsReadFromAPreferenceLeniently) {
  EXPECT_EQ(ask("", {"wait=10"}), (Asked{10, true, false}));
  EXPECT_EQ(ask("", {"respond-async, WAIT = \"10\" ; x=y, wait=20"}), (Asked{10, true, false}));
  EXPECT_EQ(ask("", {"handling=lenient", "wait=7"}), (Asked{7, true, false}));
  EXPECT_EQ(ask("", {"wait=61"}), (Asked{60, true, false}));
  EXPECT_EQ(ask("", {"wait=99999999999999999999"}), (Asked{60, true, false}));
  for (const char* none : {"wait", "wait=", "wait=x", "wait=-1", "wait=1.5", "waits=3", "wait=\"", ",,;=,"}) {
    EXPECT_EQ(ask("", {none}), (Asked{0, false, false})) << none;
  }
}

TEST(Wait, TheQueryGoesFirst) { EXPECT_EQ(ask("wait=3", {"wait=10"}), (Asked{3, false, false})); }

}  // namespace
}  // namespace carillon::channels::polling
