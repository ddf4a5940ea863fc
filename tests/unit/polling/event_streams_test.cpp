// Streams that are open, and what becomes of them when they are to end.
#include "channels/polling/event_streams.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "serving_fixture.h"

namespace carillon::channels::polling {
namespace {

class EventStreamsTest : public ServingFixture {
 protected:
  EventStreamsTest() {
    StreamOptions options;
    options.queue_bytes_max = 1'000;
    streams_ = std::make_unique<EventStreams>(*reader_, options, log_);
    router_.add(net::http::Method::get, "/stream", [this](const auto&, const net::http::Responder& responder) {
      responder.upgrade(EventStreams::head(), [this](net::Connection& connection) {
        room_.enter({7});
        return streams_->open(connection, *guests_, {{7}, {8}, hub::Role::client}, of_key, {});
      });
      opened_.set_value();
    });
    begin();
  }
  ~EventStreamsTest() override { end(); }

  std::size_t open_stream() {
    const std::size_t client = ask("/stream");
    EXPECT_EQ(opened_.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
    return client;
  }

  std::unique_ptr<EventStreams> streams_;
  std::promise<void> opened_;
};

TEST_F(EventStreamsTest, WhatIsDismissedIsToldNoMoreAndIsNotSlow) {
  const std::size_t client = open_stream();
  auto event = std::make_shared<hub::Event>();
  event->seq = 101;
  event->owner = owner;
  event->error = std::make_shared<const std::string>(1'000'000, 'x');
  hub::CommitBatch large;
  large.events.push_back(event);
  large.last = event->seq;
  // More than the client's end takes: the rest of it waits, and there is no room for more.
  on_loop([&] { streams_->on_commit(large); });
  on_loop([&] {
    guests_->drain();
    streams_->on_commit(*batch_of(102, {owner}));
    EXPECT_EQ(streams_->slow(), 0U);
  });
  const std::string heard = hear(client);
  EXPECT_NE(heard.find("id: 101\n"), std::string::npos);
  EXPECT_EQ(heard.find("id: 102\n"), std::string::npos);
  EXPECT_EQ(room_.waiting(), 0U);
}

TEST_F(EventStreamsTest, WhoWillSendNoMoreIsToldWhatWasOnItsWay) {
  std::promise<void> sent;
  loop_.post([&] { sent.get_future().wait(); });
  const std::size_t client = ask("/stream");
  shutdown(clients_[client], SHUT_WR);
  sent.set_value();
  EXPECT_NE(hear(client).find("\r\n\r\nretry: "), std::string::npos);
  on_loop([&] { EXPECT_EQ(streams_->streams(), 0U); });
}

}  // namespace
}  // namespace carillon::channels::polling
