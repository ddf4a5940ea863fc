#include "channels/webhook/header_rules.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

TEST(HeaderRules, TakesNamesOfTheOwnersOwn) {
  for (const char* name : {"X-Till", "authorization", "Accept", "x", "!#$%&'*+-.^_`|~", "X-Webhook-Id", "proxy", "Web",
                           "content-language", "date"}) {
    EXPECT_EQ(header_name_fault(name), std::nullopt) << name;
  }
}

TEST(HeaderRules, RefusesWhatFramesTheRequestOrBelongsToAConnection) {
  for (const char* name : {"Connection", "keep-alive", "Proxy-Authorization", "PROXY-", "te", "Trailer",
                           "transfer-encoding", "Upgrade", "Host", "Content-Length", "content-type", "Content-Encoding",
                           "Expect", "user-agent", "webhook-id", "Webhook-Signature", "WEBHOOK-anything", "webhook-"}) {
    EXPECT_NE(header_name_fault(name), std::nullopt) << name;
  }
}

TEST(HeaderRules, RefusesWhatIsNoName) {
  for (const char* name :
       {"", "a b", "a:", ":path", "a\r\nb", "a\tb", "(a)", "a\"b", "a@b", "a[b]", "a{b}", "a\\b", "ä"}) {
    EXPECT_NE(header_name_fault(name), std::nullopt) << name;
  }
  EXPECT_EQ(header_name_fault(std::string(header_name_bytes_max, 'n')), std::nullopt);
  EXPECT_NE(header_name_fault(std::string(header_name_bytes_max + 1, 'n')), std::nullopt);
  EXPECT_NE(header_name_fault(std::string_view("a\0b", 3)), std::nullopt);
}

TEST(HeaderRules, AValueIsOneLineOfAscii) {
  for (const char* value : {"7", "a b", "a\tb", "Bearer abc=", "~!@#"}) {
    EXPECT_EQ(header_value_fault(value), std::nullopt) << value;
  }
  for (const char* value : {"", " ", " a", "a ", "\ta", "a\t", "a\nb", "a\rb", "\x7f", "ä", "\x01"}) {
    EXPECT_NE(header_value_fault(value), std::nullopt) << value;
  }
  EXPECT_NE(header_value_fault(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(header_value_fault(std::string(header_value_bytes_max, 'v')), std::nullopt);
  EXPECT_NE(header_value_fault(std::string(header_value_bytes_max + 1, 'v')), std::nullopt);
}

TEST(HeaderRules, NamesAreComparedWithoutCase) {
  const std::vector<hub::HeaderField> headers = {{"X-Till", "7"}, {"x", "y"}};
  EXPECT_EQ(find_header(headers, "X-TILL"), &headers[0]);
  EXPECT_EQ(find_header(headers, "X"), &headers[1]);
  EXPECT_EQ(find_header(headers, "X-Til"), nullptr);
}

}  // namespace
}  // namespace carillon::channels::webhook
