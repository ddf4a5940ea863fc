// Requests, one after another, and what is answered to them.
#include "net/http/http_protocol.h"

#include <string>

#include "tests/unit/net/http_protocol_fixture.h"

namespace carillon::net::http {
namespace {

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

}  // namespace
}  // namespace carillon::net::http
