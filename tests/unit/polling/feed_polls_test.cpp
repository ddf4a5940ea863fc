// Polls that wait for their feed, and the batches that wake them.
#include "channels/polling/feed_polls.h"

#include <Poco/Net/StreamSocketImpl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "hub/rules.h"
#include "net/http/http_protocol.h"
#include "storage/sqlite/store.h"

namespace carillon::channels::polling {
namespace {

using hub::Sight;

constexpr hub::JobOwner owner{{7}, {8}};
constexpr hub::JobOwner other{{9}, {8}};

/// A loop with the channel's part on it, and connections whose only request is a poll that waits.
class FeedPollsTest : public testing::Test {
 protected:
  FeedPollsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-polls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    storage::sqlite::StoreOptions options;
    options.path = (folder_ / "carillon.db").string();
    store_ = storage::sqlite::open_store(options, rules_, clock_);
    reader_ = store_->open_reader();
    authenticator_ = std::make_unique<hub::Authenticator>(*reader_, clock_);
    guests_ = std::make_unique<Guests>(loop_, clock_, *authenticator_, room_);
    options_.epoch = "e";
    polls_ = std::make_unique<FeedPolls>(options_, 100);
    router_.add(net::http::Method::get, "/wait", [this](const auto&, const net::http::Responder& responder) {
      room_.enter({7});
      polls_->wait(*guests_, {{{7}, {8}, hub::Role::client}, {}}, responder, asked_);
      waiting_->set_value();
    });
    service_ = std::make_unique<net::http::HttpService>(loop_, router_, net::http::HttpOptions{});
    table_ = std::make_unique<net::ConnectionTable>(loop_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~FeedPollsTest() override {
    loop_.stop();
    thread_.join();
    table_.reset();
    for (const int client : clients_) close(client);
    std::filesystem::remove_all(folder_);
  }

  /// Begins to wait; the number of the client.
  std::size_t wait(const Sight& sight, hub::Seq looked, std::size_t limit) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const timeval patience{30, 0};
    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    clients_.push_back(ends[1]);
    asked_ = {sight, looked, limit, {60, false}};
    waiting_.emplace();
    loop_.post([this, socket = Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(ends[0]))] {
      table_->add(net::make_plain_transport(socket),
                  [&](net::Connection& connection) { return service_->make_protocol(connection); });
    });
    const std::string request = "GET /wait HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(send(ends[1], request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    EXPECT_EQ(waiting_->get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    return clients_.size() - 1;
  }

  /// The numbers of the events in its answer, and behind them what it says of where it ends: "101 103|103 true".
  std::string answer(std::size_t client) const {
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t got = 0; (got = recv(clients_[client], piece.data(), piece.size(), 0)) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
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

  /// Passes a batch on: an event of each of the owners, from `first` on, and perhaps some that are nobody's here.
  void commit(hub::Seq first, const std::vector<hub::JobOwner>& owners, hub::Seq last = 0) {
    auto batch = std::make_shared<hub::CommitBatch>();
    for (const auto& whose : owners) {
      auto event = std::make_shared<hub::Event>();
      event->seq = first++;
      event->owner = whose;
      batch->events.push_back(std::move(event));
    }
    batch->last = std::max(last, first - 1);
    on_loop([&] { polls_->on_commit(*batch); });
  }
  template <typename Task>
  void on_loop(Task&& task) {
    std::promise<void> done;
    loop_.post([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  static constexpr Sight of_key{Sight::Of::key, owner.account, owner.key};
  static constexpr Sight of_account{Sight::Of::account, owner.account, {}};

  std::filesystem::path folder_;
  hub::SystemClock clock_;
  hub::Rules rules_{hub::Ownership(hub::OwnershipScope::key)};
  std::unique_ptr<hub::Store> store_;
  std::unique_ptr<hub::Reader> reader_;
  std::unique_ptr<hub::Authenticator> authenticator_;
  net::EventLoop loop_;
  WaitingRoom room_{{100, 0}};
  std::unique_ptr<Guests> guests_;
  FeedOptions options_;
  std::unique_ptr<FeedPolls> polls_;
  net::http::Router router_;
  std::unique_ptr<net::http::HttpService> service_;
  std::unique_ptr<net::ConnectionTable> table_;
  std::thread thread_;
  std::vector<int> clients_;
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
