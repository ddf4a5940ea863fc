// The dispatcher with a real store and real receivers.
#include "channels/webhook/dispatcher.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <limits>
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
    return {.transfers = {.guard = AddressGuard({"127.0.0.0/8"})}, .schedule = RetrySchedule(std::move(delays_ms))};
  }
  void start(DispatcherOptions options) {
    dispatcher_ = std::make_unique<Dispatcher>(*breakable_, system_clock_, std::move(options));
    dispatcher_->start();
  }
  void start() { start(options({0, 20, 20, 20})); }

  hub::Endpoint make(const std::string& url, hub::NewEndpoint wanted) {
    wanted.by = client_;
    wanted.url = url;
    wanted.events = queued_events;
    wanted.secret.secret = secret;
    return *ask<hub::Endpoint>([&](auto then) { store_->create_endpoint(wanted, home_, then); });
  }

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
            Signer({{secret, {}, {}}})
                .signature(fields["webhook-id"], std::stoll(fields["webhook-timestamp"]), received[0].body, 0));
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
  few.queue.requests_max = 2;
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
  start({.transfers = {.guard = AddressGuard({})}, .schedule = RetrySchedule({})});
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
  Receiver healthy;
  make_endpoint(client_, "http://10.0.0.1/refused-by-the-guard", queued_events);
  for (int i = 0; i < 300; ++i) submit(client_);
  make_endpoint(client_, healthy.url(), queued_events);
  for (int i = 0; i < 3; ++i) submit(client_);
  // Nothing is recorded, so that after 50 attempts there are no more: a backlog that came first would take them all.
  breakable_->records_refused = std::numeric_limits<int>::max();
  auto few = options({});
  few.unrecorded_max = 50;
  start(std::move(few));
  EXPECT_GE(healthy.await(1).size(), 1U) << "a backlog that needs no waiting came first";
  EXPECT_EQ(breakable_->recorded, 0U);
  breakable_->records_refused = 0;
  EXPECT_EQ(healthy.await(3).size(), 3U);
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

TEST_F(DispatcherTest, AHundredDeadEndpointsDoNotHoldUpOneThatIsWell) {
  std::atomic<bool> release{false};
  Receiver dead([&](const Received&) {
    release.wait(false);
    return 200;
  });
  Receiver healthy;
  constexpr int dead_endpoints = 100;
  for (int i = 0; i < dead_endpoints; ++i) make_endpoint(client_, dead.url("/" + std::to_string(i)), queued_events);
  make_endpoint(client_, healthy.url(), queued_events);
  auto few = options({0});
  few.in_flight_max = 8;
  few.in_flight_slow_max = 8;
  few.slow_ms = 20;
  start(std::move(few));
  for (int i = 0; i < 20; ++i) submit(client_);
  EXPECT_EQ(healthy.await(20).size(), 20U) << "while none of the others has answered";
  release = true;
  release.notify_all();
  const auto received = dead.await(20 * dead_endpoints);
  EXPECT_EQ(received.size(), 20U * dead_endpoints);
  EXPECT_EQ(ids_of(received).size(), received.size()) << "none is sent twice";
  EXPECT_TRUE(await_nothing_pending());
}

TEST_F(DispatcherTest, AnAccountWithABacklogLeavesTurnsToOthers) {
  constexpr int others_max = 50;
  std::atomic<int> others{0};
  std::atomic<int> before_the_last_of_others{0};
  Receiver other([&](const Received&) {
    ++others;
    return 200;
  });
  Receiver many([&](const Received&) {
    if (others < others_max) ++before_the_last_of_others;
    return 200;
  });
  const hub::Principal other_client = principal(make_key("other"));
  for (int i = 0; i < 10; ++i) make_endpoint(client_, many.url("/" + std::to_string(i)), queued_events);
  make_endpoint(other_client, other.url(), queued_events);
  for (int i = 0; i < others_max; ++i) submit(client_);
  for (int i = 0; i < others_max; ++i) submit(other_client);
  auto one_by_one = options({});
  one_by_one.in_flight_max = 1;
  one_by_one.queue.requests_max = 1;
  start(std::move(one_by_one));
  ASSERT_EQ(other.await(others_max).size(), 50U);
  ASSERT_EQ(many.await(10 * others_max).size(), 500U);
  EXPECT_LE(before_the_last_of_others, 200) << "of 500: the two accounts take turns";
}

TEST_F(DispatcherTest, AnOrderedEndpointHearsInOrderWhateverFails) {
  std::atomic<int> requests{0};
  Receiver receiver([&](const Received&) { return ++requests % 3 == 0 ? 500 : 200; });
  hub::NewEndpoint ordered;
  ordered.ordered = true;
  make(receiver.url(), std::move(ordered));
  start(options({0, 20, 20, 20}));
  for (int i = 0; i < 60; ++i) submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  std::vector<std::string> answered;
  const auto received = receiver.await(89);
  for (std::size_t i = 0; i < received.size(); ++i) {
    if ((i + 1) % 3 != 0) answered.push_back(received[i].body.substr(received[i].body.rfind("\"seq\":") + 6));
  }
  ASSERT_EQ(answered.size(), 60U);
  for (std::size_t i = 1; i < answered.size(); ++i) EXPECT_LT(std::stoll(answered[i - 1]), std::stoll(answered[i]));
}

TEST_F(DispatcherTest, AFailingHeadHoldsTheRestUntilItIsGivenUp) {
  std::atomic<bool> first_seen{false};
  std::string first_id;
  Receiver receiver([&](const Received& received) {
    if (!first_seen.exchange(true)) first_id = received.fields.at("webhook-id");
    return received.fields.at("webhook-id") == first_id ? 500 : 200;
  });
  hub::NewEndpoint ordered;
  ordered.ordered = true;
  make(receiver.url(), std::move(ordered));
  start(options({0, 20}));
  for (int i = 0; i < 5; ++i) submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  const auto received = receiver.await(7);
  ASSERT_EQ(received.size(), 7U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(received[static_cast<std::size_t>(i)].fields.at("webhook-id"), first_id);
  EXPECT_EQ(count(hub::DeliveryState::failed), 1);
  EXPECT_EQ(count(hub::DeliveryState::delivered), 4);
}

TEST_F(DispatcherTest, AnEndpointIsSentNoMoreASecondThanItTakes) {
  Receiver receiver;
  hub::NewEndpoint paced;
  paced.max_per_second = 20;
  make(receiver.url(), std::move(paced));
  for (int i = 0; i < 20; ++i) submit(client_);
  const auto begun_at = std::chrono::steady_clock::now();
  start();
  ASSERT_EQ(receiver.await(20).size(), 20U);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun_at;
  EXPECT_GE(took.count(), 19.0 / 20 * 0.95);
}

TEST_F(DispatcherTest, AnEndpointThatWasDownIsAskedWithOneRequestBeforeItsBacklog) {
  std::string closed;
  {
    const Receiver gone;
    closed = gone.url();
  }
  const auto endpoint = make_endpoint(client_, closed, queued_events);
  for (int i = 0; i < 50; ++i) submit(client_);
  auto patient = options({0, 60'000});
  patient.queue.requests_max = 16;
  start(std::move(patient));
  // Three in a row without an answer, and it is tried further and further apart: the rest stays untouched.
  ASSERT_TRUE(bell_.await([&] { return breakable_->recorded >= 4; }));
  std::atomic<bool> answered{false};
  std::atomic<int> begun_before_the_first_answer{0};
  Receiver back([&](const Received&) {
    if (!answered) ++begun_before_the_first_answer;
    answered = true;
    return 200;
  });
  hub::EndpointChange move;
  move.by = client_;
  move.endpoint = endpoint.id;
  move.url = back.url();
  ask<hub::Endpoint>([&](auto then) { store_->change_endpoint(move, home_, then); });
  EXPECT_GE(back.await(44).size(), 44U) << "those that were not tried twice are due still";
  EXPECT_EQ(begun_before_the_first_answer, 1);
}

TEST_F(DispatcherTest, ATestIsSentOnceAlsoToADisabledEndpointAndAheadOfTheRest) {
  Receiver receiver([](const Received&) { return 500; });
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  hub::EndpointChange disable;
  disable.by = client_;
  disable.endpoint = endpoint.id;
  disable.status = hub::EndpointStatus::disabled;
  ask<hub::Endpoint>([&](auto then) { store_->change_endpoint(disable, home_, then); });
  start();
  const auto test =
      ask<hub::DeliveryReport>([&](auto then) { store_->test_endpoint(client_, endpoint.id, home_, then); });
  ASSERT_TRUE(test);
  ASSERT_TRUE(await_nothing_pending());
  const auto received = receiver.await(1);
  ASSERT_EQ(received.size(), 1U);
  EXPECT_THAT(received[0].body, testing::StartsWith(R"({"type":"webhook.test")"));
  EXPECT_EQ(reader_->find_delivery_report(test->id)->state, hub::DeliveryState::failed);
  EXPECT_EQ(reader_->find_endpoint(endpoint.id)->failing_since, std::nullopt);
}

TEST_F(DispatcherTest, WhatIsReplayedArrivesWithTheSameId) {
  std::atomic<bool> broken{true};
  Receiver receiver([&](const Received&) { return broken ? 500 : 200; });
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  start(options({}));
  for (int i = 0; i < 100; ++i) submit(client_);
  ASSERT_TRUE(bell_.await([&] { return count(hub::DeliveryState::failed) == 100; }));
  broken = false;
  hub::ReplaySlice slice;
  slice.by = client_;
  slice.endpoint = endpoint.id;
  slice.until = std::numeric_limits<hub::UnixMs>::max();
  const auto replayed = ask<hub::ReplayProgress>([&](auto then) { store_->replay(slice, home_, then); });
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->sent_again, 100U);
  ASSERT_TRUE(await_nothing_pending());
  const auto received = receiver.await(200);
  EXPECT_EQ(received.size(), 200U);
  EXPECT_EQ(ids_of(received).size(), 100U);
  EXPECT_EQ(count(hub::DeliveryState::delivered), 100);
}

TEST_F(DispatcherTest, ItsFiguresTellWhatItDid) {
  std::atomic<int> requests{0};
  Receiver receiver([&](const Received&) { return ++requests == 1 ? 503 : 200; });
  const auto endpoint = make_endpoint(client_, receiver.url(), queued_events);
  start();
  for (int i = 0; i < 3; ++i) submit(client_);
  ASSERT_TRUE(await_nothing_pending());
  const DispatchFigures& figures = dispatcher_->figures();
  const auto of = [&](AttemptClass attempt) { return figures.attempts[static_cast<std::size_t>(attempt)].read(); };
  EXPECT_EQ(of(AttemptClass::delivered), 3U);
  EXPECT_EQ(of(AttemptClass::server_error), 1U);
  const auto each = figures.endpoints();
  ASSERT_EQ(each.size(), 1U);
  EXPECT_EQ(each[0].first, endpoint.id);
  EXPECT_EQ(each[0].second.attempts[static_cast<std::size_t>(AttemptClass::delivered)], 3U);
}

}  // namespace
}  // namespace carillon::channels::webhook
