#include "hub/id.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>

namespace carillon::hub {
namespace {

TEST(JobId, ReadsAndWritesTheTextForm) {
  const auto id = JobId::parse("550E8400-e29b-41d4-a716-446655440000");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->text(), "550e8400-e29b-41d4-a716-446655440000");
}

TEST(JobId, RefusesAllElse) {
  for (const char* text : {"", "550e8400", "550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000g",
                           "550e8400-e29b-41d4-a716-4466554400000", "550e8400-e29b-41d4-a7160446655440000-",
                           "{550e8400-e29b-41d4-a716-446655440000}"}) {
    EXPECT_FALSE(JobId::parse(text)) << text;
  }
}

TEST(JobId, RandomOnesAreVersion4AndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = JobId::random().text();
    EXPECT_EQ(text[14], '4');
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
    EXPECT_TRUE(seen.insert(text).second);
  }
}

TEST(NumberId, TextFormGoesThereAndBack) {
  for (const std::int64_t number :
       {std::int64_t{1}, std::int64_t{61}, std::int64_t{62}, std::numeric_limits<std::int64_t>::max()}) {
    const KeyId id{number};
    EXPECT_EQ(parse_id<KeyTag>(to_text(id)), id) << to_text(id);
  }
}

TEST(NumberId, RefusesWhatIsNone) {
  for (const char* text :
       {"", "key_", "key_0", "key_01", "acc_1", "key_-1", "key_zzzzzzzzzzz", "key_1111111111111", "key_a b"}) {
    EXPECT_FALSE(parse_id<KeyTag>(text)) << text;
  }
}

TEST(RandomBase62, HasTheLengthAndTheAlphabet) {
  const std::string text = random_base62(1000);
  EXPECT_EQ(text.size(), 1000U);
  EXPECT_EQ(text.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
            std::string::npos);
}

}  // namespace
}  // namespace carillon::hub
