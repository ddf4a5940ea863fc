#include "net/http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace carillon::net::http {
namespace {

using State = ChunkedDecoder::State;

constexpr std::size_t plenty = 1024 * 1024;

State decode_all(std::string_view text, std::string& body, std::size_t& consumed, std::size_t limit = plenty) {
  ChunkedDecoder decoder;
  return decoder.decode(text, limit, body, consumed);
}

TEST(Chunked, PutsTheChunksTogether) {
  std::string body;
  std::size_t consumed = 0;
  const std::string text = "5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1";
  EXPECT_EQ(decode_all(text, body, consumed), State::done);
  EXPECT_EQ(body, "hello world");
  EXPECT_EQ(text.substr(consumed), "GET / HTTP/1.1");
}

TEST(Chunked, ComesToTheSameHoweverItIsCut) {
  const std::string text = "a\r\n0123456789\r\n1\r\nX\r\n0\r\n\r\n";
  for (std::size_t cut = 1; cut < text.size(); ++cut) {
    ChunkedDecoder decoder;
    std::string body;
    std::string held;
    State state = State::more;
    for (std::size_t at = 0; at < text.size(); at += cut) {
      held += text.substr(at, cut);
      std::size_t consumed = 0;
      state = decoder.decode(held, plenty, body, consumed);
      held.erase(0, consumed);
    }
    EXPECT_EQ(state, State::done) << cut;
    EXPECT_EQ(body, "0123456789X") << cut;
  }
}

TEST(Chunked, RefusesWhatTwoReadersCouldReadDifferently) {
  for (const char* text : {"\r\n", "g\r\n", "-1\r\n", "+1\r\nx\r\n", " 1\r\nx\r\n", "0x1\r\nx\r\n", "1\nx\r\n",
                           "1\r\nxy\r\n", "1\r\nx\n", "1\rx\r\n", "ffffffffffffffff\r\n", "1 \r\nx\r\n"}) {
    std::string body;
    std::size_t consumed = 0;
    EXPECT_EQ(decode_all(text, body, consumed), State::malformed) << text;
  }
}

TEST(Chunked, StopsAtTheLimitBeforeTheBytesCome) {
  std::string body;
  std::size_t consumed = 0;
  EXPECT_EQ(decode_all("b\r\n", body, consumed, 10), State::too_large);
  EXPECT_EQ(decode_all("a\r\n0123456789\r\n1\r\n", body, consumed, 10), State::too_large);
}

TEST(Chunked, ALineWithoutEndIsRefused) {
  std::string body;
  std::size_t consumed = 0;
  EXPECT_EQ(decode_all("1;" + std::string(5000, 'x'), body, consumed), State::malformed);
}

}  // namespace
}  // namespace carillon::net::http
