#include "channels/query_reader.h"

#include <gtest/gtest.h>

namespace carillon::channels {
namespace {

struct Taken {
  std::optional<std::string> status;
  std::size_t limit;
  std::string wrong;  ///< "422 ?limit ?colour"; empty where nothing is
};

Taken take(std::string_view query) {
  net::http::Request request;
  request.query = query;
  QueryReader reader(request);
  Taken taken{reader.take("status"), reader.take_limit("limit", 50, 100), ""};
  if (const auto problem = reader.end()) {
    taken.wrong = std::to_string(problem->status);
    for (const auto& invalid : problem->invalid) taken.wrong += " " + invalid.pointer;
  }
  return taken;
}

TEST(QueryReader, TakesWhatIsKnown) {
  EXPECT_EQ(take("").status, std::nullopt);
  EXPECT_EQ(take("").limit, 50U);
  EXPECT_EQ(take("status=a%20b+c&limit=100").status, "a b c");
  EXPECT_EQ(take("status=a&limit=1").limit, 1U);
  EXPECT_EQ(take("status").status, "");
  for (const char* query : {"", "&", "status=&", "st%61tus=x&&limit=7"}) EXPECT_EQ(take(query).wrong, "") << query;
}

TEST(QueryReader, NamesWhatIsWrong) {
  EXPECT_EQ(take("colour=red").wrong, "422 ?colour");
  EXPECT_EQ(take("colour=red&size=1&colour=blue").wrong, "422 ?colour ?size");
  EXPECT_EQ(take("status=a&status=b").wrong, "422 ?status");
  for (const char* limit : {"0", "101", "-1", "+1", "1.0", "", "ten", "99999999999999999999", "1 "}) {
    EXPECT_EQ(take(std::string("limit=") + limit).wrong, "422 ?limit") << limit;
  }
}

TEST(QueryReader, ACursorIsAnIdOfItsKind) {
  const hub::KeyId id{77};
  const auto take_cursor = [](const std::string& query) {
    net::http::Request request;
    request.query = query;
    QueryReader reader(request);
    const auto cursor = reader.take_cursor<hub::KeyTag>();
    return std::pair(cursor, reader.end().has_value());
  };
  EXPECT_EQ(take_cursor("cursor=" + hub::to_text(id)), std::pair(std::optional(id), false));
  EXPECT_EQ(take_cursor(""), std::pair(std::optional<hub::KeyId>(), false));
  for (const std::string& wrong : {std::string("x"), std::string(), hub::to_text(hub::AccountId{77})}) {
    EXPECT_EQ(take_cursor("cursor=" + wrong), std::pair(std::optional<hub::KeyId>(), true)) << wrong;
  }
}

TEST(QueryReader, SaysInWordsWhatIsWrong) {
  net::http::Request request;
  request.query = "limit=0&colour=red";
  QueryReader reader(request);
  reader.take_limit("limit", 50, 100);
  const auto problem = reader.end();
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->code, "validation_error");
  EXPECT_EQ(problem->detail,
            "The query is not valid: ?limit must be a whole number from 1 to 100; ?colour is not known here.");
}

}  // namespace
}  // namespace carillon::channels
