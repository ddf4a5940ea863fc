#include "net/http/head.h"

#include <gtest/gtest.h>

#include <string>

namespace carillon::net::http {
namespace {

HeadResult read(std::string_view text, Head& head) { return read_head(text, HeadLimits{}, head); }

TEST(Head, PointsAtItsParts) {
  Head head;
  const std::string text =
      "POST /api/v1/jobs?x=1&y HTTP/1.1\r\nHost: localhost:8080\r\nX-API-Key:\t sk_live_x \r\nContent-Length: 12\r\n"
      "Expect: 100-continue\r\n\r\nbody";
  ASSERT_EQ(read(text, head).state, HeadState::complete);
  EXPECT_EQ(head.method, Method::post);
  EXPECT_EQ(head.path, "/api/v1/jobs");
  EXPECT_EQ(head.query, "x=1&y");
  EXPECT_EQ(head.fields[1].name, "X-API-Key");
  EXPECT_EQ(head.fields[1].value, "sk_live_x");
  EXPECT_EQ(head.framing, Framing::length);
  EXPECT_EQ(head.content_length, 12U);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(text.substr(head.bytes), "body");
}

TEST(Head, IsIncompleteAtEveryCut) {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    Head head;
    EXPECT_EQ(read(std::string_view(text).substr(0, cut), head).state, HeadState::incomplete) << cut;
  }
}

TEST(Head, KnowsWhetherTheConnectionStays) {
  Head head;
  ASSERT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n", head).state, HeadState::complete);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(read("GET / HTTP/1.0\r\n\r\n", head).state, HeadState::complete);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head).state, HeadState::complete);
  EXPECT_TRUE(head.keep_alive);
}

TEST(Head, TakesTheAbsoluteForm) {
  Head head;
  ASSERT_EQ(read("GET http://localhost/api?q HTTP/1.1\r\nHost: localhost\r\n\r\n", head).state, HeadState::complete);
  EXPECT_EQ(head.path, "/api");
  EXPECT_EQ(head.query, "q");
  ASSERT_EQ(read("GET HTTPS://[::1]:8443?q HTTP/1.1\r\nHost: a\r\n\r\n", head).state, HeadState::complete);
  EXPECT_EQ(head.path, "/") << "no path is the root";
  EXPECT_EQ(head.query, "q");
}

struct Unsound {
  const char* what;
  std::string text;
  int status = 400;
};

TEST(Head, RefusesWhatIsNotSound) {
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const Unsound table[] = {
      {"length and coding", post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"coding and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
      {"two differing lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"},
      {"two equal lengths", post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
      {"a list of lengths", post + "Content-Length: 1, 1\r\n\r\n"},
      {"a signed length", post + "Content-Length: +1\r\n\r\n"},
      {"a hexadecimal length", post + "Content-Length: 0x1\r\n\r\n"},
      {"an empty length", post + "Content-Length: \r\n\r\n"},
      {"a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\n"},
      {"two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"another coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
      {"a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
      {"two hosts", get + "Host: a\r\nHost: a\r\n\r\n"},
      {"no host", get + "A: b\r\n\r\n"},
      {"a host with a path", get + "Host: a/b\r\n\r\n"},
      {"a host with a user", get + "Host: u@a\r\n\r\n"},
      {"a control character in a value", get + "Host: a\r\nA: b\x01\r\n\r\n"},
      {"a NUL in a value", get + "Host: a\r\nA: b" + std::string(1, '\0') + "\r\n\r\n"},
      {"a blank before the colon", get + "Host : a\r\n\r\n"},
      {"a header without a colon", get + "Host: a\r\nABC\r\n\r\n"},
      {"a header without a name", get + "Host: a\r\n: b\r\n\r\n"},
      {"a header's name with a bracket", get + "Host: a\r\nA(b: c\r\n\r\n"},
      {"obsolete folding", get + "Host: a\r\nA: b\r\n c\r\n\r\n"},
      {"folding at once", get + " Host: a\r\n\r\n"},
      {"a bare CR", get + "Host: a\r\nA: b\rc\r\n\r\n"},
      {"a bare LF", "GET / HTTP/1.1\nHost: a\n\n"},
      {"a bare LF among headers", get + "Host: a\nA: b\r\n\r\n"},
      {"no version", "GET /\r\n\r\n"},
      {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a byte above ASCII in the target", "GET /\xC3\xA4 HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an odd version", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"},
      {"a lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n"},
      {"HTTP/2 in plain text", "PRI * HTTP/2.0\r\n\r\n", 505},
      {"a method that is no token", "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a fragment in the target", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an absolute target without a host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an absolute target with a port alone", "GET http://:80/a HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an absolute target with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"an absolute target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"a target without a slash", "GET jobs HTTP/1.1\r\nHost: a\r\n\r\n"},
      {"TLS", "\x16\x03\x01\x02\x01\x01\r\n"},
      {"an unknown expectation", post + "Expect: tea\r\n\r\n", 417},
      {"a head over 16 KiB", get + "Host: a\r\nA: " + std::string(17'000, 'x'), 431},
      {"a whole head over 16 KiB", get + "Host: a\r\nA: " + std::string(17'000, 'x') + "\r\n\r\n", 431},
      {"a request line over 16 KiB", "GET /" + std::string(17'000, 'x'), 414},
  };
  for (const Unsound& row : table) {
    Head head;
    const HeadResult result = read(row.text, head);
    EXPECT_EQ(result.state, HeadState::refused) << row.what;
    EXPECT_EQ(result.status, row.status) << row.what << ": " << result.detail;
    EXPECT_FALSE(result.detail.empty()) << row.what;
  }
}

TEST(Head, LimitsTheNumberOfFields) {
  std::string text = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 100; ++i) text += "A: b\r\n";
  Head head;
  EXPECT_EQ(read(text + "\r\n", head).status, 431);
}

}  // namespace
}  // namespace carillon::net::http
