// Polls that wait for their feed, and the batches that wake them.
#include "channels/polling/feed_polls.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <optional>
#include <string>
#include <vector>

#include "serving_fixture.h"

namespace carillon::channels::polling {
namespace {

using hub::Sight;

/// Connections whose only request is a poll that waits.
class FeedPollsTest : public ServingFixture {
 protected:
  FeedPollsTest() {
    options_.epoch = "e";
    polls_ = std::make_unique<FeedPolls>(options_, 100, log_);
    router_.add(net::http::Method::get, "/wait", [this](const auto&, const net::http::Responder& responder) {
      room_.enter({7});
      polls_->wait(*guests_, {{7}, {8}, hub::Role::client}, responder, asked_);
      waiting_->set_value();
    });
    begin();
  }
  ~FeedPollsTest() override { end(); }

  /// Begins to wait; the number of the client.
  std::size_t wait(const Sight& sight, hub::Seq looked, std::size_t limit) {
    asked_ = {sight, looked, limit, {60, false}};
    waiting_.emplace();
    const std::size_t client = ask("/wait");
    EXPECT_EQ(waiting_->get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    return client;
  }

  /// The numbers of the events in its answer, and behind them what it says of where it ends: "101 103|103 true".
  std::string answer(std::size_t client) const {
    const std::string text = hear(client);
    std::string told;
    for (std::size_t at = 0; (at = text.find("{\"seq\":", at)) != std::string::npos; ++at) {
      told += (told.empty() ? "" : " ") + text.substr(at + 7, text.find(',', at) - at - 7);
    }
    const std::size_t next = text.find("\"next_after\":") + 13;
    const std::size_t more = text.find("\"has_more\":") + 11;
    return told + '|' + text.substr(next, text.find(',', next) - next) + ' ' +
           text.substr(more, text.find(',', more) - more);
  }
  bool waits(std::size_t client) const {
    char byte = 0;
    return recv(clients_[client], &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0;
  }

  void commit(hub::Seq first, const std::vector<hub::JobOwner>& owners, hub::Seq last = 0) {
    const auto batch = batch_of(first, owners, last);
    on_loop([&] { polls_->on_commit(*batch); });
  }

  FeedOptions options_;
  std::unique_ptr<FeedPolls> polls_;
  FeedPolls::Asked asked_;
  std::optional<std::promise<void>> waiting_;
};

TEST_F(FeedPollsTest, TheBatchThatWakesIsTheNextPage) {
  const auto mine = wait(of_key, 100, 10);
  const auto accounts = wait(of_account, 100, 10);
  const auto all = wait({}, 100, 10);
  commit(101, {other});
  EXPECT_TRUE(waits(mine));
  EXPECT_EQ(answer(accounts), "101|101 false");
  EXPECT_EQ(answer(all), "101|101 false");
  commit(102, {other, owner, other, owner}, 110);
  EXPECT_EQ(answer(mine), "103 105|110 false");
  EXPECT_EQ(room_.waiting(), 0U);
}

TEST_F(FeedPollsTest, WhatHasNoRoomOnThePageComesWithTheNext) {
  const auto one = wait(of_key, 100, 1);
  const auto two = wait(of_key, 100, 2);
  const auto three = wait(of_key, 100, 3);
  const auto of_all = wait({}, 100, 2);
  commit(101, {other, owner, owner, other, owner, other}, 120);
  EXPECT_EQ(answer(one), "102|102 true");
  EXPECT_EQ(answer(two), "102 103|103 true");
  EXPECT_EQ(answer(three), "102 103 105|120 false");
  EXPECT_EQ(answer(of_all), "101 102|102 true");
}

TEST_F(FeedPollsTest, WhatTheLookHadShownIsNotToldAgain) {
  const auto ahead = wait(of_key, 102, 10);
  commit(101, {owner, owner});
  EXPECT_TRUE(waits(ahead));
  commit(103, {owner});
  EXPECT_EQ(answer(ahead), "103|103 false");
  const auto within = wait(of_key, 104, 10);
  commit(104, {owner, owner});
  EXPECT_EQ(answer(within), "105|105 false");
}

TEST_F(FeedPollsTest, WhoIsDismissedHasMovedOn) {
  const auto behind = wait(of_key, 100, 10);
  commit(101, {other, other}, 130);
  const auto ahead = wait(of_key, 140, 10);
  on_loop([&] { guests_->drain(); });
  EXPECT_EQ(answer(behind), "|130 false");
  EXPECT_EQ(answer(ahead), "|140 false");
}

}  // namespace
}  // namespace carillon::channels::polling
