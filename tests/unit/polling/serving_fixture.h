// A loop with what the polling channel stands on, and clients at the other ends of its connections.
#pragma once

#include <Poco/Net/StreamSocketImpl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channels/notification_log.h"
#include "channels/polling/guests.h"
#include "hub/rules.h"
#include "net/http/http_protocol.h"
#include "storage/sqlite/store.h"

namespace carillon::channels::polling {

class ServingFixture : public testing::Test {
 protected:
  static constexpr hub::JobOwner owner{{7}, {8}};
  static constexpr hub::JobOwner other{{9}, {8}};
  static constexpr hub::Sight of_key{hub::Sight::Of::key, owner.account, owner.key};
  static constexpr hub::Sight of_account{hub::Sight::Of::account, owner.account, {}};

  ServingFixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-polls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    storage::sqlite::StoreOptions options;
    options.path = (folder_ / "carillon.db").string();
    store_ = storage::sqlite::open_store(options, rules_, clock_);
    reader_ = store_->open_reader();
    authenticator_ = std::make_unique<hub::Authenticator>(*reader_, clock_);
    guests_ = std::make_unique<Guests>(loop_, clock_, *authenticator_, room_);
  }
  ~ServingFixture() override {
    for (const int client : clients_) close(client);
    std::filesystem::remove_all(folder_);
  }

  /// To be called when the routes are there.
  void begin() {
    service_ = std::make_unique<net::http::HttpService>(loop_, router_, net::http::HttpOptions{});
    table_ = std::make_unique<net::ConnectionTable>(loop_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  /// To be called before what was served with goes.
  void end() {
    loop_.stop();
    thread_.join();
    table_.reset();
  }

  /// Asks on a connection of its own; the number of the client.
  std::size_t ask(const std::string& path) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    const timeval patience{30, 0};
    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    clients_.push_back(ends[1]);
    loop_.post([this, socket = Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(ends[0]))] {
      table_->add(net::make_plain_transport(socket),
                  [&](net::Connection& connection) { return service_->make_protocol(connection); });
    });
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(send(ends[1], request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    return clients_.size() - 1;
  }

  /// All that a client is sent, to the end.
  std::string hear(std::size_t client) const {
    std::string text;
    std::array<char, 64 * 1024> piece;
    for (ssize_t got = 0; (got = recv(clients_[client], piece.data(), piece.size(), 0)) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

  /// A batch with an event of each of the owners, from `first` on, and perhaps some behind that are nobody's here.
  static std::shared_ptr<hub::CommitBatch> batch_of(hub::Seq first, const std::vector<hub::JobOwner>& owners,
                                                    hub::Seq last = 0) {
    auto batch = std::make_shared<hub::CommitBatch>();
    for (const auto& whose : owners) {
      auto event = std::make_shared<hub::Event>();
      event->seq = first++;
      event->owner = whose;
      batch->events.push_back(std::move(event));
    }
    batch->last = std::max(last, first - 1);
    return batch;
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

  std::filesystem::path folder_;
  hub::SystemClock clock_;
  hub::Rules rules_{hub::Ownership(hub::OwnershipScope::key)};
  std::unique_ptr<hub::Store> store_;
  std::unique_ptr<hub::Reader> reader_;
  std::unique_ptr<hub::Authenticator> authenticator_;
  net::EventLoop loop_;
  NotificationLog log_{{}, 0, 0};
  WaitingRoom room_{{100, 0}};
  std::unique_ptr<Guests> guests_;
  net::http::Router router_;
  std::unique_ptr<net::http::HttpService> service_;
  std::unique_ptr<net::ConnectionTable> table_;
  std::thread thread_;
  std::vector<int> clients_;
};

}  // namespace carillon::channels::polling
