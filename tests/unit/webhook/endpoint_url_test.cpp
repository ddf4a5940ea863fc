#include "channels/webhook/endpoint_url.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

constexpr UrlPolicy strict{};
constexpr UrlPolicy lenient{true};

TEST(EndpointUrl, TakesHttps) {
  for (const char* url : {"https://example.com", "https://example.com/hook?a=b", "https://example.com:8443/h",
                          "https://[2606:4700::1111]/x", "HTTPS://EXAMPLE.com/"}) {
    EXPECT_EQ(url_fault(url, strict), std::nullopt) << url;
  }
  EXPECT_EQ(url_fault("http://example.com/", lenient), std::nullopt);
}

TEST(EndpointUrl, SaysWhatIsWrong) {
  const std::string must = "must begin with https://";
  EXPECT_EQ(url_fault("", strict), "is empty");
  EXPECT_EQ(url_fault("http://example.com/", strict), must);
  EXPECT_EQ(url_fault("ftp://example.com/", strict), must);
  EXPECT_EQ(url_fault("file:///etc/passwd", lenient), "must begin with https:// or http://");
  EXPECT_EQ(url_fault("https://user@example.com/", strict), "must not hold a user name or password");
  EXPECT_EQ(url_fault("https://u:p@example.com/", strict), "must not hold a user name or password");
  EXPECT_EQ(url_fault("https://example.com/#x", strict), "must not hold a fragment (#)");
  EXPECT_EQ(url_fault("https://example.com/#", strict), "must not hold a fragment (#)");
  EXPECT_EQ(url_fault("https://@example.com/", strict), "must not hold a user name or password");
  EXPECT_EQ(url_fault("https:///example.com/", strict), "names no host");
  EXPECT_EQ(url_fault("https://example.com:0/", strict), "names port 0");
  EXPECT_EQ(url_fault("https://example.com/a b", strict), "holds a blank or another character that must be escaped");
  EXPECT_EQ(url_fault("https://ex\xc3\xa4mple.com/", strict),
            "holds a blank or another character that must be escaped");
  EXPECT_EQ(url_fault("https://example.com/" + std::string(2048, 'x'), strict), "is longer than 2048 bytes");
  for (const char* url : {"example.com", "https://", "https://:443/", "https://example.com:99999/",
                          "https:/example.com", "//example.com"}) {
    EXPECT_TRUE(url_fault(url, lenient)) << url;
  }
}

}  // namespace
}  // namespace carillon::channels::webhook
