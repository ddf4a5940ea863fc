#include "net/http/gzip.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace carillon::net::http {
namespace {

Body shared_text(std::string text) {
  Body body(std::move(text));
  body.share();
  return body;
}

Body around(const SharedBytes& bytes, std::string_view text) {
  Body body(std::string{text});
  body.append(bytes);
  return body;
}

TEST(Gzip, WhatIsSentToManyIsCompressedOnce) {
  Gzip gzip;
  const Body page = shared_text(std::string(3'000, 'a'));
  const Body first = gzip.compress(page);
  EXPECT_LT(first.size(), 100U);
  const Body copy = page;
  EXPECT_TRUE(gzip.compress(copy).same_pieces(first));
  const Body other = gzip.compress(shared_text(std::string(3'000, 'b')));
  EXPECT_NE(other.text(), first.text());
  EXPECT_EQ(gzip.compress(page).text(), first.text());
}

TEST(Gzip, WhatIsRememberedIsTheWholeBody) {
  Gzip gzip;
  const auto bytes = std::make_shared<const std::string>(20'000, 'a');
  const Body first = gzip.compress(around(bytes, "1"));
  EXPECT_TRUE(gzip.compress(around(bytes, "1")).same_pieces(first));
  EXPECT_NE(gzip.compress(around(bytes, "2")).text(), first.text()) << "other text around the same piece";
  const auto others = std::make_shared<const std::string>(20'000, 'b');
  EXPECT_NE(gzip.compress(around(others, "1")).text(), first.text());
}

TEST(Gzip, WhatBecomesNoShorterIsRememberedToo) {
  Gzip gzip;
  const Body few = shared_text("abc");
  EXPECT_TRUE(gzip.compress(few).empty());
  EXPECT_TRUE(gzip.compress(few).empty());
  EXPECT_FALSE(gzip.compress(shared_text(std::string(100, 'a'))).empty());
}

}  // namespace
}  // namespace carillon::net::http
