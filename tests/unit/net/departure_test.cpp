// Who closes while an answer is held back, and who is told.
#include <chrono>
#include <future>
#include <string>

#include "tests/unit/net/http_protocol_fixture.h"

namespace carillon::net::http {
namespace {

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

}  // namespace
}  // namespace carillon::net::http
