// The dispatcher with a real store and real receivers.
#include "channels/webhook/dispatcher.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>

#include "channels/webhook/signer.h"
#include "tests/unit/storage/store_fixture.h"
#include "tests/unit/webhook/breakable_store.h"
#include "tests/unit/webhook/receiver.h"

namespace carillon::channels::webhook {
namespace {

using hub::JobStatus;

constexpr hub::EventKinds queued_events = hub::EventKinds{}.with(hub::EventKind::queued);
const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Rung whenever something was brought to disk, so that it can be waited for.
class Bell {
 public:
  void ring() {
    {
      const std::lock_guard lock(mutex_);
      ++rung_times_;
    }
    rung_.notify_all();
  }

  /// Looks whether `holds` each time it rings, until it does or the patience ends.
  template <typename Holds>
  bool await(Holds holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto seen = rung_times_;
      lock.unlock();
      if (holds()) return true;
      lock.lock();
      if (!rung_.wait_until(lock, deadline, [&] { return rung_times_ != seen; })) return false;
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable rung_;
  std::uint64_t rung_times_ = 0;
};

class DispatcherTest : public storage::sqlite::StoreTest {
 protected:
  DispatcherTest() {
    open();
    breakable_.emplace(*store_);
    breakable_->after_record = [this] { bell_.ring(); };
    client_ = principal(make_key("acme"));
  }
  ~DispatcherTest() override { dispatcher_.reset(); }

  static DispatcherOptions options(std::vector<std::int64_t> delays_ms) {
    return {AddressGuard({"127.0.0.0/8"}), RetrySchedule(std::move(delays_ms))};
  }
  void start(DispatcherOptions options) {
    dispatcher_ = std::make_unique<Dispatcher>(*breakable_, system_clock_, std::move(options));
    dispatcher_->start();
  }
  void start() { start(options({0, 20, 20, 20})); }

  bool await_nothing_pending() {
    return bell_.await([&] { return reader_->backlog().empty(); });
  }
  bool await_disabled(hub::EndpointId endpoint) {
    return bell_.await([&] { return reader_->find_endpoint(endpoint)->status == hub::EndpointStatus::disabled; });
  }

  /// How many deliveries the table has in this state.
  std::int64_t count(hub::DeliveryState state) {
    storage::sqlite::Connection database(path(), storage::sqlite::Access::read);
    storage::sqlite::Statement query(database.handle(), "SELECT count(*) FROM deliveries WHERE state = ?");
    query.bind(state).step();
    return query.integer(0);
  }

  Bell bell_;
  std::optional<BreakableStore> breakable_;
  hub::Principal client_;
  hub::SystemClock system_clock_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

std::set<std::string> ids_of(const std::vector<Received>& received) {
  std::set<std::string> ids;
  for (const auto& one : received) ids.insert(one.fields.at("webhook-id"));
  return ids;
}

TEST_F(DispatcherTest, SendsWhatIsOwedSigned) {
  Receiver receiver;
  make_endpoint(client_, receiver.url(), queued_events);
  start();
  const hub::Job job = submit(client_);
  const auto received = receiver.await(1);
  ASSERT_EQ(received.size(), 1U);
  auto fields = received[0].fields;
  EXPECT_EQ(fields["content-type"], "application/json");
  EXPECT_EQ(fields["user-agent"], "carillon/" CARILLON_VERSION);
  EXPECT_THAT(fields["webhook-id"], testing::MatchesRegex("msg_[0-9A-Za-z]{22}"));
  EXPECT_EQ(fields["webhook-signature"],
            signature(secret, fields["webhook-id"], std::stoll(fields["webhook-timestamp"]), received[0].body));
  EXPECT_THAT(received[0].body, testing::HasSubstr(job.id.text()));
  EXPECT_EQ(fields.count("expect"), 0U);
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
  EXPECT_EQ(ids_of(received).size(), 1U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, WhatIsPendingAtTheStartIsSent) {
  Receiver receiver;
  make_endpoint(client_, receiver.url(), queued_events);
  for (int i = 0; i < 200; ++i) submit(client_);  // more than the window holds
  start();
  const auto received = receiver.await(200);
  EXPECT_EQ(received.size(), 200U);
  EXPECT_EQ(ids_of(received).size(), 200U);
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, A410DisablesTheEndpoint) {
  Receiver receiver([](const Received&) { return 410; });
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  start();
  submit(client_);
  ASSERT_TRUE(await_disabled(endpoint.id));
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
  auto at_once = options({0, 20, 20, 20});
  at_once.disable_after_ms = 0;
  start(std::move(at_once));
  submit(client_);
  ASSERT_TRUE(await_disabled(endpoint.id));
  EXPECT_THAT(reader_->find_endpoint(endpoint.id)->disabled_reason, testing::StartsWith("Every attempt since "));
}

TEST_F(DispatcherTest, AnEndpointThatDoesNotAnswerHoldsUpItselfAlone) {
  std::atomic<bool> release{false};
  Receiver stalled([&](const Received&) {
    release.wait(false);
    return 200;
  });
  Receiver healthy;
  make_endpoint(client_, stalled.url(), queued_events);
  make_endpoint(client_, healthy.url(), queued_events);
  auto few = options({0});
  few.in_flight_max = 8;
  few.in_flight_per_endpoint_max = 2;
  start(std::move(few));
  for (int i = 0; i < 50; ++i) submit(client_);
  EXPECT_EQ(healthy.await(50).size(), 50U);
  release = true;
  release.notify_all();
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
  start(options({}));
  submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  EXPECT_EQ(count(hub::DeliveryState::failed), 2);
}

TEST_F(DispatcherTest, OutcomesThatAreRefusedAreHandedOverAgain) {
  Receiver receiver;
  make_endpoint(client_, receiver.url(), queued_events);
  breakable_->records_refused = 1;
  start();
  submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  EXPECT_EQ(breakable_->records, 2);
  EXPECT_EQ(receiver.await(1).size(), 1U) << "it is not sent again for want of a record";
}

TEST_F(DispatcherTest, WhileOutcomesAreRefusedNoMoreIsSentThanCanBeRemembered) {
  Receiver receiver;
  make_endpoint(client_, receiver.url(), queued_events);
  for (int i = 0; i < 300; ++i) submit(client_);
  breakable_->records_refused = 1;
  auto few = options({0});
  few.unrecorded_max = 20;
  std::size_t sent_before_the_first_record = 0;
  breakable_->before_first_record = [&] { sent_before_the_first_record = receiver.await(0).size(); };
  start(std::move(few));
  ASSERT_TRUE(await_nothing_pending());
  EXPECT_LE(sent_before_the_first_record, 20U);
  EXPECT_EQ(receiver.await(300).size(), 300U);
  EXPECT_EQ(ids_of(receiver.await(300)).size(), 300U);
}

TEST_F(DispatcherTest, AnEndpointThatFailsAtOnceHoldsUpItselfAlone) {
  std::atomic<std::size_t> recorded_before{0};
  Receiver healthy([&](const Received&) {
    recorded_before = breakable_->recorded.load();
    return 200;
  });
  make_endpoint(client_, "http://10.0.0.1/refused-by-the-guard", queued_events);
  for (int i = 0; i < 300; ++i) submit(client_);
  make_endpoint(client_, healthy.url(), queued_events);
  for (int i = 0; i < 3; ++i) submit(client_);
  // A record is refused: while the store is left alone, nothing more is recorded, and the healthy one is served.
  breakable_->records_refused = 1;
  auto few = options({});
  few.unrecorded_max = 50;
  start(std::move(few));
  EXPECT_EQ(healthy.await(3).size(), 3U);
  EXPECT_LE(recorded_before, 50U) << "a backlog that needs no waiting came first";
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, WhatIsBrokenOffIsSentAgainWithTheSameIdAfterARestart) {
  std::atomic<bool> release{false};
  Receiver receiver([&](const Received&) {
    release.wait(false);
    return 200;
  });
  Receiver arrived;
  make_endpoint(client_, receiver.url(), queued_events);
  make_endpoint(client_, arrived.url(), queued_events);
  start();
  submit(client_);
  ASSERT_EQ(arrived.await(1).size(), 1U);
  ASSERT_TRUE(bell_.await([&] { return count(hub::DeliveryState::delivered) == 1; }));
  dispatcher_->stop();
  dispatcher_->stop();
  EXPECT_EQ(reader_->backlog().size(), 1U);
  release = true;
  release.notify_all();
  start();
  EXPECT_TRUE(await_nothing_pending());
  EXPECT_EQ(ids_of(receiver.await(1)).size(), 1U);
  EXPECT_EQ(arrived.await(1).size(), 1U) << "what was recorded is not sent again";
}

TEST_F(DispatcherTest, AStartThatFailsLeavesNothingBehind) {
  breakable_->backlog_fails = true;
  EXPECT_THROW(start(), hub::StoreError);
  dispatcher_.reset();
  submit(client_);  // nobody is told who is not there
}

}  // namespace
}  // namespace carillon::channels::webhook
