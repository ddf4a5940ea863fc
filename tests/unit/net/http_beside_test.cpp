// What is said beside an answer, with no handler thinking of it: a coding, pages of other origins, the log.
#include <zlib.h>

#include <mutex>
#include <string>
#include <vector>

#include "tests/unit/net/http_protocol_fixture.h"

namespace carillon::net::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string gunzip(const std::string& compressed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string plain(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

struct Told {
  std::string method, path, caller, peer, request_id;
  int status = 0;
  std::size_t body_bytes = 0;
  std::int64_t duration_us = 0;
};

class KeptLog final : public ExchangeLog {
 public:
  void on_exchange(const Exchange& exchange) noexcept override {
    const std::lock_guard lock(mutex_);
    told_.push_back({std::string(exchange.method), std::string(exchange.path), std::string(exchange.caller),
                     std::string(exchange.peer), std::string(exchange.request_id), exchange.status, exchange.body_bytes,
                     exchange.duration_us});
  }
  std::vector<Told> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Told> told_;
};

// --- gzip ------------------------------------------------------------------------------------------------------------

HttpOptions with_gzip(std::size_t bytes_min, std::size_t bytes_max) {
  HttpOptions options;
  options.gzip = {bytes_min, bytes_max};
  return options;
}

TEST_F(HttpProtocolTest, WhatIsLargeEnoughIsCompressedForWhoTakesIt) {
  const std::string text = "[" + std::string(5'000, 'a') + "]";
  const auto shared = std::make_shared<const std::string>(20'000, 'b');
  add(Method::get, "/a", [=](const Request&) { return json_response(200, text).with("ETag", "\"7\""); });
  add(Method::get, "/shared", [=](const Request&) {
    Body body(std::string("<"));
    body.append(shared);
    body.append(">");
    return json_response(200, std::move(body));
  });
  add(Method::get, "/small", [=](const Request&) { return json_response(200, std::string(999, 'a')); });
  add(Method::get, "/large", [=](const Request&) { return json_response(200, std::string(30'001, 'a')); });
  serve(with_gzip(1'000, 30'000));
  const std::string wants = "Accept-Encoding: br, gzip\r\n";

  const Answer compressed = ask("GET /a", wants);
  EXPECT_EQ(compressed.field("Content-Encoding"), "gzip");
  EXPECT_EQ(compressed.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(compressed.field("ETag"), "W/\"7\"") << "not the same bytes, so a weak tag";
  EXPECT_LT(compressed.body.size(), 200U);
  EXPECT_EQ(gunzip(compressed.body), text);
  const Answer head = ask("HEAD /a", wants);
  EXPECT_EQ(head.field("Content-Length"), compressed.field("Content-Length"));
  EXPECT_EQ(head.field("Content-Encoding"), "gzip");

  const Answer plain = ask("GET /a");
  EXPECT_EQ(plain.field("Content-Encoding"), "");
  EXPECT_EQ(plain.field("Vary"), "Accept-Encoding") << "a cache must know that it could have been another";
  EXPECT_EQ(plain.field("ETag"), "\"7\"");
  EXPECT_EQ(plain.body, text);

  EXPECT_EQ(gunzip(ask("GET /shared", wants).body), "<" + *shared + ">");
  for (const char* const path : {"/small", "/large"}) {
    const Answer answer = ask(std::string("GET ") + path, wants);
    EXPECT_EQ(answer.field("Content-Encoding"), "") << path;
    EXPECT_EQ(answer.field("Vary"), "") << path;
  }
  EXPECT_EQ(ask("GET /small", "Accept-Encoding: gzip, identity;q=0\r\n").field("Content-Encoding"), "gzip");
  EXPECT_EQ(ask("GET /nothing", wants).field("Content-Encoding"), "");
}

TEST_F(HttpProtocolTest, WhatBecomesNoShorterIsSentPlain) {
  std::string noise;
  for (std::uint32_t i = 1, x = 1; i < 5'000; ++i)
    noise += static_cast<char>((x = x * 1'664'525U + 1'013'904'223U) >> 24U);
  add(Method::get, "/a", [=](const Request&) { return json_response(200, noise); });
  serve(with_gzip(1'000, 30'000));
  const Answer answer = ask("GET /a", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(answer.field("Content-Encoding"), "");
  EXPECT_EQ(answer.body, noise);
}

TEST_F(HttpProtocolTest, ANotModifiedSaysTheTagThatTheClientHas) {
  add(Method::get, "/a", [](const Request&) { return Response{304, {}, {}, {}}.with("ETag", "\"7\""); });
  serve(with_gzip(1'000, 30'000));
  const Answer strong = ask("GET /a", "Accept-Encoding: gzip\r\nIf-None-Match: \"7\"\r\n");
  EXPECT_EQ(strong.field("ETag"), "\"7\"");
  EXPECT_EQ(strong.field("Vary"), "Accept-Encoding");
  EXPECT_EQ(ask("GET /a", "Accept-Encoding: gzip\r\nIf-None-Match: W/\"7\"\r\n").field("ETag"), "W/\"7\"");
}

TEST_F(HttpProtocolTest, NothingIsCompressedWhereThatIsOff) {
  add(Method::get, "/a", [](const Request&) { return json_response(200, std::string(50'000, 'a')); });
  serve(with_gzip(0, 100'000));
  const Answer answer = ask("GET /a", "Accept-Encoding: gzip\r\n");
  EXPECT_THAT(answer.head, Not(HasSubstr("Vary")));
  EXPECT_EQ(answer.body.size(), 50'000U);
}

// --- pages of other origins ------------------------------------------------------------------------------------------

HttpOptions with_cors(const std::vector<std::string>& origins) {
  HttpOptions options;
  options.cors = CorsPolicy(origins);
  return options;
}

TEST_F(HttpProtocolTest, PagesOfAllowedOriginsMayRead) {
  add(Method::get, "/a", [](const Request&) { return json_response(200, std::string("{}")); });
  serve(with_cors({"https://app.example"}));
  const Answer allowed = ask("GET /a", "Origin: https://app.example\r\n");
  EXPECT_EQ(allowed.field("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_EQ(allowed.field("Vary"), "Origin");
  EXPECT_THAT(allowed.field("Access-Control-Expose-Headers"),
              HasSubstr("ETag, Location, Retry-After, X-Request-Id, RateLimit, RateLimit-Policy"));
  EXPECT_THAT(allowed.head, Not(HasSubstr("Credentials")));
  EXPECT_EQ(ask("GET /nothing", "Origin: https://app.example\r\n").field("Access-Control-Allow-Origin"),
            "https://app.example")
      << "errors too";
  for (const char* const other : {"", "Origin: https://evil.example\r\n", "Origin: null\r\n"}) {
    const Answer answer = ask("GET /a", other);
    EXPECT_EQ(answer.status, 200) << other;
    EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control"))) << other;
    EXPECT_EQ(answer.field("Vary"), "Origin") << "a cache must not give this to a page that may read";
  }
}

TEST_F(HttpProtocolTest, APreflightIsAnsweredWithoutAKey) {
  add(Method::patch, "/a", [](const Request&) { return json_response(200, std::string("{}")); });
  serve(with_cors({"https://app.example"}));
  const std::string wish = "Access-Control-Request-Method: PATCH\r\nAccess-Control-Request-Headers: x-api-key\r\n";
  const Answer allowed = ask("OPTIONS /a", "Origin: https://app.example\r\n" + wish);
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.field("Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_THAT(allowed.field("Access-Control-Allow-Methods"), HasSubstr("PATCH"));
  for (const char* const name :
       {"X-API-Key", "Authorization", "Content-Type", "If-None-Match", "Prefer", "Idempotency-Key", "Last-Event-ID"}) {
    EXPECT_THAT(allowed.field("Access-Control-Allow-Headers"), HasSubstr(name));
  }
  EXPECT_EQ(allowed.field("Access-Control-Max-Age"), "7200");
  const Answer other = ask("OPTIONS /a", "Origin: https://evil.example\r\n" + wish);
  EXPECT_EQ(other.status, 204);
  EXPECT_THAT(other.head, Not(HasSubstr("Access-Control")));
  EXPECT_THAT(ask("OPTIONS /a", "Origin: https://app.example\r\n").head, Not(HasSubstr("Allow-Methods")))
      << "no preflight";
}

TEST_F(HttpProtocolTest, AllOriginsMayBeAllowed) {
  add(Method::get, "/a", [](const Request&) { return json_response(200, std::string("{}")); });
  serve(with_cors({"*"}));
  const Answer answer = ask("GET /a", "Origin: https://anyone.example\r\n");
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(answer.field("Vary"), "") << "the same for all";
}

TEST_F(HttpProtocolTest, NothingIsSaidOfOriginsUnlessSomeAreAllowed) {
  add(Method::get, "/a", [](const Request&) { return json_response(200, std::string("{}")); });
  serve();
  const Answer answer = ask("GET /a", "Origin: https://app.example\r\n");
  EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control")));
  EXPECT_EQ(answer.field("Vary"), "");
}

// --- the log, and what handlers add ----------------------------------------------------------------------------------

TEST_F(HttpProtocolTest, EveryRequestIsToldToTheLog) {
  KeptLog log;
  router_.add(Method::get, "/a", [](const Request&, const Responder& responder) {
    responder.name_caller("key_1");
    responder.add_fields("X-Extra: yes\r\n");
    responder.send(json_response(200, std::string("{\"a\":1}")));
  });
  HttpOptions options;
  options.log = &log;
  options.server_timing = true;
  serve(std::move(options));
  const Answer first = ask("GET /a?api_key=secret", "X-Request-Id: one\r\n");
  EXPECT_EQ(first.field("X-Extra"), "yes");
  EXPECT_THAT(first.field("Server-Timing"), testing::MatchesRegex("total;dur=[0-9]+\\.[0-9]{3}"));
  EXPECT_EQ(ask("HEAD /nothing").field("X-Extra"), "");
  send_text("GET /a HTTP/1.1\r\nHost : hub\r\n\r\n");
  EXPECT_EQ(read_answer().status, 400);
  EXPECT_TRUE(ended());

  const std::vector<Told> told = log.told();
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].method, "GET");
  EXPECT_EQ(told[0].path, "/a");
  EXPECT_EQ(told[0].status, 200);
  EXPECT_EQ(told[0].body_bytes, 7U);
  EXPECT_EQ(told[0].caller, "key_1");
  EXPECT_EQ(told[0].request_id, "one");
  EXPECT_GE(told[0].duration_us, 0);
  EXPECT_EQ(told[1].method, "HEAD");
  EXPECT_EQ(told[1].status, 404);
  EXPECT_EQ(told[1].body_bytes, 0U);
  EXPECT_EQ(told[1].caller, "");
  EXPECT_EQ(told[2].status, 400);
  EXPECT_EQ(told[2].method, "");
}

TEST_F(HttpProtocolTest, WhatTakesAConnectionOverCarriesTheRequestIdToo) {
  KeptLog log;
  struct Silent final : Protocol {
    std::size_t on_bytes(std::string_view bytes) override { return bytes.size(); }
    void on_end_of_input() override {}
    void on_time() override {}
  };
  router_.add(Method::get, "/stream", [](const Request&, const Responder& responder) {
    responder.upgrade("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
                      [](Connection&) { return std::make_unique<Silent>(); });
  });
  HttpOptions options = with_cors({"*"});
  options.log = &log;
  serve(std::move(options));
  const Answer answer = ask("GET /stream", "X-Request-Id: stream-1\r\nOrigin: https://app.example\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.field("X-Request-Id"), "stream-1");
  EXPECT_EQ(answer.field("Content-Type"), "text/event-stream");
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(log.told().at(0).status, 200);
}

TEST_F(HttpProtocolTest, AnAnswerToABodyThatDoesNotComeIsOneToItsHead) {
  struct Row {
    std::string fields;
    std::string body;
    int status;
  };
  KeptLog log;
  HttpOptions options = with_cors({"https://app.example"});
  options.limits.body_bytes_max = 100;
  options.limits.body_timeout_ms = 50;
  options.log = &log;
  add(Method::post, "/a", [](const Request& request) { return json_response(200, std::string(request.body)); });
  serve(std::move(options));
  for (const auto& [fields, body, status] : {
           Row{"Content-Length: 101\r\n", "", 413},
           {"Content-Length: 101\r\nExpect: 100-continue\r\n", "", 413},
           {"Transfer-Encoding: chunked\r\n", "65\r\n" + std::string(0x65, 'x'), 413},
           {"Transfer-Encoding: chunked\r\n", "zz\r\n", 400},
           {"Content-Length: 100\r\n", "not all of it", 408},
           {"Transfer-Encoding: chunked\r\n", "1\r\n{\r\n", 408},
       }) {
    EXPECT_EQ(ask("POST /a", "X-Request-Id: before\r\n", "{}").status, 200);
    send_text("POST /a?api_key=secret HTTP/1.1\r\nHost: hub\r\nX-Request-Id: mine\r\n");
    send_text("Origin: https://app.example\r\n" + fields + "\r\n" + body);
    const Answer answer = read_answer();
    EXPECT_EQ(answer.status, status) << fields;
    EXPECT_EQ(answer.field("X-Request-Id"), "mine") << fields << status;
    EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "https://app.example") << fields << status;
    EXPECT_EQ(answer.field("Connection"), "close");
    EXPECT_TRUE(ended());
    const Told told = log.told().back();
    EXPECT_EQ(told.method + " " + told.path, "POST /a");
    EXPECT_EQ(told.request_id, "mine");
    EXPECT_EQ(told.status, status);
    connect();
  }
}

TEST_F(HttpProtocolTest, AHeadThatIsNoneIsAnsweredByItself) {
  add(Method::get, "/a", [](const Request&) { return json_response(200, std::string("{}")); });
  serve(with_cors({"https://app.example"}));
  const std::string before = "X-Request-Id: before\r\nOrigin: https://app.example\r\n";
  EXPECT_EQ(ask("HEAD /a", before).status, 200);
  send_text("GET /a HTTP/1.1\r\nHost : hub\r\n" + before + "\r\n");
  const Answer answer = read_answer();
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.field("X-Request-Id"), "before");
  EXPECT_EQ(answer.field("Access-Control-Allow-Origin"), "");
  EXPECT_THAT(answer.body, HasSubstr("bad_request")) << "although the one before was a HEAD";
}

}  // namespace
}  // namespace carillon::net::http
