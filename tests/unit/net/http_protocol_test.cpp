#include "net/http/http_protocol.h"

#include <Poco/Net/StreamSocketImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <chrono>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/event_loop.h"

namespace carillon::net::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

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

struct Answer {
  int status = 0;
  std::string head;  ///< with all its lines
  std::string body;

  std::string field(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

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

/// A service on a loop of its own, and a client at the other end of one connection.
class HttpProtocolTest : public testing::Test {
 protected:
  void serve(HttpOptions options = {}) {
    service_ = std::make_unique<HttpService>(loop_, router_, std::move(options));
    connect();
    thread_ = std::thread([this] { loop_.run(); });
  }

  /// Anew, where the connection before has ended.
  void connect() {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    if (client_ >= 0) close(client_);
    client_ = ends[1];
    const timeval patience{30, 0};
    setsockopt(client_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Poco::Net::StreamSocket socket(new Poco::Net::StreamSocketImpl(ends[0]));
    loop_.post([this, socket] {
      table_.add(make_plain_transport(socket),
                 [&](Connection& connection) { return service_->make_protocol(connection); });
    });
  }

  ~HttpProtocolTest() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    if (client_ >= 0) close(client_);
  }

  void send_text(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(client_, text.data(), text.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  bool read_more() {
    std::array<char, 64 * 1024> piece;
    const ssize_t got = recv(client_, piece.data(), piece.size(), 0);
    if (got > 0) heard_.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0;
  }

  Answer read_answer(bool with_body = true) {
    std::size_t end = 0;
    while ((end = heard_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return {};
    }
    Answer answer{std::stoi(heard_.substr(9, 3)), heard_.substr(0, end + 2), {}};
    heard_.erase(0, end + 4);
    const std::string length = answer.field("Content-Length");
    if (!with_body || length.empty()) return answer;
    const std::size_t bytes = std::stoul(length);
    while (heard_.size() < bytes && read_more()) {
    }
    answer.body = heard_.substr(0, bytes);
    heard_.erase(0, bytes);
    return answer;
  }

  Answer ask(const std::string& line, const std::string& fields = {}, const std::string& body = {}) {
    std::string text = line + " HTTP/1.1\r\nHost: hub\r\n" + fields;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send_text(text + "\r\n" + body);
    return read_answer(!line.starts_with("HEAD"));
  }

  bool ended() { return heard_.empty() && !read_more(); }

  void add(Method method, const char* path, std::function<Response(const Request&)> answer) {
    router_.add(method, path, [answer = std::move(answer)](const Request& request, const Responder& responder) {
      responder.send(answer(request));
    });
  }

  EventLoop loop_;
  ConnectionTable table_{loop_};
  Router router_;
  std::unique_ptr<HttpService> service_;
  std::thread thread_;
  int client_ = -1;
  std::string heard_;
};

// --- methods ---------------------------------------------------------------------------------------------------------

TEST_F(HttpProtocolTest, HeadIsGetWithoutTheBody) {
  add(Method::get, "/a",
      [](const Request&) { return json_response(200, std::string("{\"a\":1}")).with("ETag", "\"7\""); });
  serve();
  const Answer got = ask("GET /a");
  const Answer head = ask("HEAD /a");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Length"), "7");
  EXPECT_EQ(head.field("ETag"), "\"7\"");
  EXPECT_EQ(head.field("Content-Type"), got.field("Content-Type"));
  EXPECT_EQ(ask("HEAD /nothing").status, 404);
  EXPECT_EQ(ask("GET /a").body, got.body) << "and the connection is in step";
}

TEST_F(HttpProtocolTest, OptionsSaysWhatThereIs) {
  for (const Method method : {Method::post, Method::get, Method::del}) {
    add(method, "/things/{id}", [](const Request&) { return Response{204, {}, {}, {}}; });
  }
  add(Method::get, "/things/all", [](const Request&) { return Response{204, {}, {}, {}}; });
  serve();
  const Answer options = ask("OPTIONS /things/1");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.field("Allow"), "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(options.field("Content-Length"), "");
  EXPECT_EQ(ask("OPTIONS *").field("Allow"), "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
  EXPECT_EQ(ask("OPTIONS /nothing").status, 404);
  const Answer not_allowed = ask("PUT /things/1");
  EXPECT_EQ(not_allowed.status, 405);
  EXPECT_EQ(not_allowed.field("Allow"), "GET, HEAD, POST, DELETE, OPTIONS");
  EXPECT_EQ(ask("BREW /things/1").status, 405);
}

TEST_F(HttpProtocolTest, APathThatIsNamedOutrightIsNoOther) {
  add(Method::get, "/things/{id}", [](const Request&) { return json_response(200, std::string("one")); });
  add(Method::post, "/things/all", [](const Request&) { return json_response(200, std::string("all")); });
  add(Method::get, "/things/{id}/parts", [](const Request&) { return json_response(200, std::string("parts")); });
  add(Method::del, "/things/{id}", [](const Request&) { return Response{204, {}, {}, {}}; });
  serve();
  EXPECT_EQ(ask("POST /things/all").body, "all");
  EXPECT_EQ(ask("OPTIONS /things/all").field("Allow"), "POST, OPTIONS");
  EXPECT_EQ(ask("GET /things/all").status, 405);
  EXPECT_EQ(ask("DELETE /things/all").status, 405);
  EXPECT_EQ(ask("GET /things/all/parts").body, "parts");
  EXPECT_EQ(ask("GET /things/al").body, "one");
}

// --- what comes in ---------------------------------------------------------------------------------------------------

TEST_F(HttpProtocolTest, ABodyIsJsonOrRefused) {
  add(Method::post, "/a", [](const Request& request) { return json_response(200, std::string(request.body)); });
  add(Method::get, "/a", [](const Request&) { return json_response(200, std::string("{}")); });
  serve();
  EXPECT_EQ(ask("POST /a", "", "{}").status, 200);
  EXPECT_EQ(ask("POST /a", "Content-Type: application/json; charset=utf-8\r\n", "{}").status, 200);
  EXPECT_EQ(ask("POST /a", "Content-Encoding: identity\r\n", "{}").status, 200);
  EXPECT_EQ(ask("POST /a", "Content-Type: text/plain\r\n").status, 200) << "there is nothing that could be of a type";
  const Answer type = ask("POST /a", "Content-Type: text/plain\r\n", "{}");
  EXPECT_EQ(type.status, 415);
  EXPECT_EQ(type.field("Content-Type"), "application/problem+json");
  EXPECT_EQ(type.field("Accept"), "application/json");
  EXPECT_EQ(ask("POST /a", "Content-Type: application/json\r\nContent-Type: text/plain\r\n", "{}").status, 415);
  const Answer coding = ask("POST /a", "Content-Encoding: gzip\r\n", "{}");
  EXPECT_EQ(coding.status, 415);
  EXPECT_EQ(coding.field("Accept-Encoding"), "identity");
  EXPECT_EQ(ask("POST /nothing", "Content-Type: text/plain\r\n", "{}").status, 404);
  EXPECT_EQ(ask("GET /a", "Content-Type: text/plain\r\n", "{}").status, 200) << "nobody looks at a GET's";
  EXPECT_EQ(ask("POST /a", "", "{\"a\":1}").body, "{\"a\":1}") << "the connection stays";
}

TEST_F(HttpProtocolTest, WhoAsksFirstIsSparedABodyThatNobodyReads) {
  add(Method::post, "/a", [](const Request& request) { return json_response(200, std::string(request.body)); });
  serve();
  const std::string expecting = " HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\nExpect: 100-continue\r\n";
  send_text("POST /a" + expecting + "\r\n");
  EXPECT_EQ(read_answer().status, 100);
  send_text("{}");
  EXPECT_EQ(read_answer().body, "{}");
  send_text("POST /a" + expecting + "Content-Type: text/plain\r\n\r\n");
  const Answer refused = read_answer();
  EXPECT_EQ(refused.status, 415);
  EXPECT_EQ(refused.field("Connection"), "close");
  EXPECT_TRUE(ended());
}

TEST_F(HttpProtocolTest, WhoAsksAndSendsAllTheSameIsNotToldToGoOn) {
  add(Method::post, "/a", [](const Request& request) { return json_response(200, std::string(request.body)); });
  serve();
  send_text("POST /a HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}");
  EXPECT_EQ(read_answer().status, 200);
  send_text("POST /a HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  send_text("{}");
  EXPECT_EQ(read_answer().status, 200) << "HTTP/1.0 knows no 100";
}

TEST_F(HttpProtocolTest, ARequestIdIsTakenWhereItIsSoundAndMadeWhereNot) {
  add(Method::get, "/a", [](const Request& request) { return json_response(200, std::string(request.id)); });
  serve();
  for (const std::string& sound : {std::string("trace-1"), std::string("{a}/\"b\""), std::string(128, 'x')}) {
    const Answer answer = ask("GET /a", "X-Request-Id: " + sound + "\r\n");
    EXPECT_EQ(answer.field("X-Request-Id"), sound);
    EXPECT_EQ(answer.body, sound);
  }
  std::string last;
  for (const std::string& unsound :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("\xc3\xa4")}) {
    const std::string id = ask("GET /a", "X-Request-Id: " + unsound + "\r\n").field("X-Request-Id");
    EXPECT_FALSE(id.empty());
    EXPECT_NE(id, unsound);
    EXPECT_NE(id, last);
    last = id;
  }
}

// --- bodies in pieces ------------------------------------------------------------------------------------------------

TEST_F(HttpProtocolTest, SharedPiecesLeaveInTheirPlaces) {
  const auto big = std::make_shared<const std::string>(3'000'000, 'b');
  const auto small = std::make_shared<const std::string>("small");
  std::string whole = "[\"" + *big + "\",\"small\",\"" + *big + "\"]";
  add(Method::get, "/a", [=](const Request&) {
    Body body;
    body.append("[\"");
    body.append(big);
    body.append("\",\"");
    body.append(small);
    body.append("\",\"");
    body.append(big);
    body.append("\"]");
    EXPECT_EQ(body.shared().size(), 2U);
    EXPECT_EQ(body.text(), whole);
    return json_response(200, std::move(body));
  });
  serve();
  EXPECT_EQ(ask("GET /a").body, whole);
  EXPECT_EQ(ask("HEAD /a").field("Content-Length"), std::to_string(whole.size()));
  EXPECT_EQ(ask("GET /a").body, whole);
}

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

/// Holds the answer back, and notes when the asker has gone.
struct HeldBack final : Departure {
  void on_departed() noexcept override {
    alive = responder.alive();
    if (alive) responder.send(json_response(200, "\"last\""));
    departed.set_value();
  }
  Responder responder;
  bool alive = false;
  std::promise<void> asked;
  std::promise<void> departed;
};

class DepartureTest : public HttpProtocolTest {
 protected:
  void hold_back(const std::string& request) {
    router_.add(Method::get, "/held", [this](const Request&, const Responder& responder) {
      held_.responder = responder;
      responder.tell_departure(held_);
      held_.asked.set_value();
    });
    serve();
    send_text(request);
  }
  static bool comes(std::promise<void>& promise) {
    return promise.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready;
  }
  HeldBack held_;
};

TEST_F(DepartureTest, WhoClosesIsNoticedWhileItsAnswerWaits) {
  hold_back("GET /held HTTP/1.1\r\nHost: hub\r\n\r\n");
  ASSERT_TRUE(comes(held_.asked));
  close(client_);
  client_ = -1;
  EXPECT_TRUE(comes(held_.departed));
}

TEST_F(DepartureTest, WhoWillSendNoMoreIsStillAnswered) {
  hold_back("GET /held HTTP/1.1\r\nHost: hub\r\n\r\nGET /nothing HTTP/1.1\r\nHost: hub\r\n\r\n");
  ASSERT_TRUE(comes(held_.asked));
  shutdown(client_, SHUT_WR);
  EXPECT_TRUE(comes(held_.departed));
  EXPECT_TRUE(held_.alive);
  EXPECT_EQ(read_answer().body, "\"last\"");
  EXPECT_EQ(read_answer().status, 404) << "what it had sent before";
  EXPECT_FALSE(read_more());
}

TEST_F(DepartureTest, AlsoWhereTheEndCameTogetherWithTheRequest) {
  router_.add(Method::get, "/first",
              [](const Request&, const Responder& responder) { responder.send(json_response(200, "1")); });
  hold_back("GET /first HTTP/1.1\r\nHost: hub\r\n\r\nGET /held HTTP/1.1\r\nHost: hub\r\n\r\n");
  shutdown(client_, SHUT_WR);
  EXPECT_EQ(read_answer().body, "1");
  EXPECT_EQ(read_answer().body, "\"last\"");
}

TEST_F(DepartureTest, WhoWasAnsweredDepartsUnnoticed) {
  hold_back("GET /held HTTP/1.1\r\nHost: hub\r\n\r\n");
  ASSERT_TRUE(comes(held_.asked));
  loop_.post([this] { held_.responder.send(json_response(200, "1")); });
  EXPECT_EQ(read_answer().body, "1");
  close(client_);
  client_ = -1;
  loop_.stop();
  thread_.join();
  EXPECT_EQ(held_.departed.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST(Problem, MayHaveFurtherMembers) {
  Problem problem{410, "events_gone", "Gone.", {}, 0};
  problem.more = R"("begins_after":7)";
  EXPECT_THAT(to_response(problem).body.text(), testing::EndsWith(R"("message":"Gone.","begins_after":7})"));
}

}  // namespace
}  // namespace carillon::net::http
