// The dispatcher with a real store and real receivers.
#include "channels/webhook/dispatcher.h"

#include <gmock/gmock.h>

#include <atomic>
#include <set>

#include "channels/webhook/signer.h"
#include "tests/unit/storage/store_fixture.h"
#include "tests/unit/webhook/receiver.h"

namespace carillon::channels::webhook {
namespace {

using hub::JobStatus;

constexpr hub::EventKinds queued_events = hub::EventKinds{}.with(hub::EventKind::queued);
const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class DispatcherTest : public storage::sqlite::StoreTest {
 protected:
  DispatcherTest() {
    open();
    client_ = principal(make_key("acme"));
  }
  ~DispatcherTest() override { dispatcher_.reset(); }

  void start(DispatcherOptions options = {AddressGuard({"127.0.0.0/8"}), RetrySchedule({0, 20, 20, 20})}) {
    dispatcher_ = std::make_unique<Dispatcher>(*store_, system_clock_, std::move(options));
    dispatcher_->start();
  }

  /// Waits until `holds` for what the store has.
  template <typename Holds>
  bool await(Holds holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!holds()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }
  bool await_nothing_pending() {
    return await([&] { return reader_->backlog().empty(); });
  }

  hub::Principal client_;
  hub::SystemClock system_clock_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, SendsWhatIsOwedSigned) {
  Receiver receiver;
  make_endpoint(client_, receiver.url(), queued_events);
  start();
  const hub::Job job = submit(client_);
  const auto received = receiver.await(1);
  ASSERT_EQ(received.size(), 1U);
  auto fields = received[0].fields;
  EXPECT_EQ(fields["content-type"], "application/json");
  EXPECT_EQ(fields["User-Agent"], "carillon/" CARILLON_VERSION);
  EXPECT_THAT(fields["webhook-id"], testing::MatchesRegex("msg_[0-9A-Za-z]{22}"));
  EXPECT_EQ(fields["webhook-signature"],
            signature(secret, fields["webhook-id"], std::stoll(fields["webhook-timestamp"]), received[0].body));
  EXPECT_THAT(received[0].body, testing::HasSubstr(job.id.text()));
  EXPECT_EQ(fields.count("Expect"), 0U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, WhatFailsIsTriedAgainWithTheSameId) {
  std::atomic<int> left{2};
  Receiver receiver([&](const Received&) { return left-- > 0 ? 503 : 200; });
  make_endpoint(client_, receiver.url(), queued_events);
  start();
  submit(client_);
  const auto received = receiver.await(3);
  ASSERT_EQ(received.size(), 3U);
  std::set<std::string> ids;
  for (const auto& one : received) ids.insert(one.fields.at("webhook-id"));
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, WhatIsPendingAtTheStartIsSent) {
  Receiver receiver;
  make_endpoint(client_, receiver.url(), queued_events);
  for (int i = 0; i < 200; ++i) submit(client_);  // more than the window holds
  start();
  const auto received = receiver.await(200);
  std::set<std::string> ids;
  for (const auto& one : received) ids.insert(one.fields.at("webhook-id"));
  EXPECT_EQ(received.size(), 200U);
  EXPECT_EQ(ids.size(), 200U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, A410DisablesTheEndpoint) {
  Receiver receiver([](const Received&) { return 410; });
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  start();
  submit(client_);
  ASSERT_TRUE(await([&] { return reader_->find_endpoint(endpoint.id)->status == hub::EndpointStatus::disabled; }));
  EXPECT_EQ(reader_->find_endpoint(endpoint.id)->disabled_reason, "The endpoint answered 410 Gone.");
  EXPECT_EQ(receiver.await(1).size(), 1U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, TriesRunOut) {
  Receiver receiver([](const Received&) { return 500; });
  make_endpoint(client_, receiver.url(), queued_events);
  start();
  submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  EXPECT_EQ(receiver.await(5).size(), 5U) << "one attempt, and one after each delay";
}

TEST_F(DispatcherTest, AnEndpointThatOnlyFailedForTooLongIsDisabled) {
  Receiver receiver([](const Received&) { return 500; });
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  DispatcherOptions options{AddressGuard({"127.0.0.0/8"}), RetrySchedule({0, 20, 20, 20})};
  options.disable_after_ms = 0;
  start(std::move(options));
  submit(client_);
  ASSERT_TRUE(await([&] { return reader_->find_endpoint(endpoint.id)->status == hub::EndpointStatus::disabled; }));
  EXPECT_THAT(reader_->find_endpoint(endpoint.id)->disabled_reason, testing::StartsWith("Every attempt since "));
}

TEST_F(DispatcherTest, AnEndpointThatDoesNotAnswerHoldsUpItselfAlone) {
  std::atomic<bool> release{false};
  Receiver stalled([&](const Received&) {
    while (!release) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return 200;
  });
  Receiver healthy;
  make_endpoint(client_, stalled.url(), queued_events);
  make_endpoint(client_, healthy.url(), queued_events);
  DispatcherOptions options{AddressGuard({"127.0.0.0/8"}), RetrySchedule({0})};
  options.in_flight_max = 8;
  options.in_flight_per_endpoint_max = 2;
  start(std::move(options));
  for (int i = 0; i < 50; ++i) submit(client_);
  EXPECT_EQ(healthy.await(50).size(), 50U);
  release = true;
  EXPECT_EQ(stalled.await(50).size(), 50U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, ARefusedAddressIsNotConnectedToAndSaid) {
  Receiver receiver;
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  start({AddressGuard({}), RetrySchedule({})});
  submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  EXPECT_TRUE(receiver.await(0).empty());
  storage::sqlite::Connection database(path(), storage::sqlite::Access::read);
  storage::sqlite::Statement query(database.handle(), "SELECT error FROM attempts");
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.text(0), "the address 127.0.0.1 is not allowed (webhooks.allow_cidrs)");
}

TEST_F(DispatcherTest, RedirectsAreNotFollowedAndNobodyListeningIsAFailure) {
  std::string closed;
  {
    const Receiver gone;
    closed = gone.url();
  }
  Receiver redirecting([](const Received&) { return 302; });
  make_endpoint(client_, closed, queued_events);
  make_endpoint(client_, redirecting.url(), queued_events);
  start({AddressGuard({"127.0.0.0/8"}), RetrySchedule({})});
  submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  storage::sqlite::Connection database(path(), storage::sqlite::Access::read);
  storage::sqlite::Statement query(database.handle(), "SELECT state FROM deliveries");
  int failed = 0;
  while (query.step()) failed += query.integer(0) == static_cast<int>(hub::DeliveryState::failed) ? 1 : 0;
  EXPECT_EQ(failed, 2);
}

}  // namespace
}  // namespace carillon::channels::webhook
