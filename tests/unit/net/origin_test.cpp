#include "net/http/origin.h"

#include <gtest/gtest.h>

namespace carillon::net::http {
namespace {

TEST(Origin, IsComparedAsRfc6454HasIt) {
  const OriginList list({"https://App.Example.com", "http://localhost:3000", "https://[2001:DB8:0::1]:8443"});
  for (const char* const same :
       {"https://app.example.com", "HTTPS://APP.EXAMPLE.COM", "https://app.example.com:443", "http://LOCALHOST:3000",
        "https://[2001:db8::1]:8443", "https://[2001:db8:0:0:0:0:0:1]:08443"}) {
    EXPECT_TRUE(list.allows(same)) << same;
  }
  for (const char* const other :
       {"http://app.example.com", "https://app.example.com:444", "https://example.com", "https://x.app.example.com",
        "https://app.example.com.evil.com", "http://localhost", "http://localhost:80", "wss://app.example.com",
        "https://[2001:db8::1]", "null", "", "https://app.example.com/", "https://app.example.com http://evil.com"}) {
    EXPECT_FALSE(list.allows(other)) << other;
  }
}

TEST(Origin, AnEmptyListAllowsAny) {
  const OriginList list({});
  EXPECT_TRUE(list.any());
  EXPECT_TRUE(list.allows("https://example.com"));
  EXPECT_TRUE(list.allows("null"));
}

TEST(Origin, HasOneWayToBeWritten) {
  EXPECT_EQ(canonical_origin("HTTP://Example.com:80"), "http://example.com");
  EXPECT_EQ(canonical_origin("https://example.com:0443"), "https://example.com");
  EXPECT_EQ(canonical_origin("https://example.com:80"), "https://example.com:80");
  EXPECT_EQ(canonical_origin("chrome-extension://abcdef"), "chrome-extension://abcdef");
  EXPECT_EQ(canonical_origin("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
}

TEST(Origin, IsNothingElse) {
  for (const char* const none : {"",
                                 "null",
                                 "*",
                                 "example.com",
                                 "https:/example.com",
                                 "https://",
                                 "://example.com",
                                 "1https://example.com",
                                 "https://example.com/",
                                 "https://example.com/path",
                                 "https://example.com?x",
                                 "https://user@example.com",
                                 "https://example.com:",
                                 "https://example.com:0",
                                 "https://example.com:65536",
                                 "https://example.com:+80",
                                 "https://example.com:80x",
                                 "https://exam ple.com",
                                 "https://*.example.com",
                                 "https://b\xc3\xbc\x63her.example",
                                 "https://[::1",
                                 "https://[::g]",
                                 "https://[::1]x",
                                 "https://[::1]x:80",
                                 "https://::1"}) {
    EXPECT_FALSE(canonical_origin(none)) << none;
  }
}

}  // namespace
}  // namespace carillon::net::http
