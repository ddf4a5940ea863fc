#include "app/nearest_word.h"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

const std::vector<std::string> words = {"serve", "account", "key", "demo", "version"};

TEST(NearestWord, FindsWhatWasMistyped) {
  EXPECT_EQ(nearest_word("srve", words), "serve");
  EXPECT_EQ(nearest_word("acount", words), "account");
  EXPECT_EQ(nearest_word("keys", words), "key");
  EXPECT_EQ(nearest_word("verzion", words), "version");
}

TEST(NearestWord, HoldsItsPeaceWhereNothingIsNear) {
  EXPECT_EQ(nearest_word("backup", words), "");
  EXPECT_EQ(nearest_word("", words), "");
  EXPECT_EQ(nearest_word("serve", {}), "");
}

TEST(DidYouMean, IsEmptyWithoutAWord) {
  EXPECT_EQ(did_you_mean("key"), " (did you mean 'key'?)");
  EXPECT_EQ(did_you_mean(""), "");
}

}  // namespace
}  // namespace carillon::app
