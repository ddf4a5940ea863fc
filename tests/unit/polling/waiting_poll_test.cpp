#include "channels/polling/waiting_poll.h"

#include <gtest/gtest.h>

#include <future>

#include "serving_fixture.h"

namespace carillon::channels::polling {
namespace {

/// Waits for what cannot be read when its time has come.
class Unreadable final : public WaitingPoll {
 public:
  Unreadable(Guests& guests, const net::http::Responder& responder)
      : WaitingPoll(guests, {{7}, {8}, hub::Role::client}, responder, guests.loop().now_ms() + 60'000) {}

 private:
  net::http::Response present() override { throw hub::StoreError("gone"); }
};

TEST_F(ServingFixture, APollWhoseStoreCannotBeReadSaysThat) {
  std::promise<void> waiting;
  router_.add(net::http::Method::get, "/wait", [&](const auto&, const net::http::Responder& responder) {
    room_.enter({7});
    new Unreadable(*guests_, responder);
    waiting.set_value();
  });
  begin();
  const std::size_t client = ask("/wait");
  waiting.get_future().wait();
  on_loop([&] { guests_->drain(); });
  const std::string heard = hear(client);
  EXPECT_TRUE(heard.starts_with("HTTP/1.1 503 ")) << heard;
  EXPECT_NE(heard.find("Retry-After: 5\r\n"), std::string::npos) << heard;
  EXPECT_NE(heard.find("\"error\":\"store_unavailable\""), std::string::npos) << heard;
  EXPECT_NE(heard.find("The store cannot be read now."), std::string::npos) << heard;
  EXPECT_EQ(heard.find("changed"), std::string::npos) << heard;
  end();
}

}  // namespace
}  // namespace carillon::channels::polling
