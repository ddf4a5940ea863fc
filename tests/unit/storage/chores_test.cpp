// What is done a slice at a time: the end of what a disabled or deleted endpoint was owed, and retention.
#include <sys/resource.h>

#include <csignal>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::DeliveryState;
using hub::EndpointStatus;

constexpr hub::EventKinds all_events{0x1F};

class ChoresTest : public StoreTest {
 protected:
  ChoresTest() {
    open();
    client_ = principal(make_key("acme"));
    endpoint_ = make_endpoint(client_, "https://a.example/hook", all_events).id;
    submit(client_);  // event 1, and one delivery
  }

  /// The store anew, with this much more for the endpoint.
  void reopen_with(int deliveries, DeliveryState state = DeliveryState::pending) {
    close();
    add_deliveries(endpoint_, deliveries, state);
    open();
  }
  std::int64_t rows(const std::string& condition) const {
    return count("SELECT count(*) FROM deliveries WHERE endpoint = " + std::to_string(endpoint_.value) + " AND " +
                 condition);
  }

  hub::Principal client_;
  hub::EndpointId endpoint_;
};

TEST_F(ChoresTest, ADisabledEndpointIsOwedNothingAtOnceAndItsBacklogEndsInSlices) {
  reopen_with(50'000);
  EXPECT_EQ(pending(), 50'001U);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  EXPECT_TRUE(reader_->backlog().empty());
  EXPECT_TRUE(reader_->due(endpoint_, clock_.now_ms(), 10).empty());
  EXPECT_FALSE(reader_->next_due(endpoint_, 0));
  await([&] { return pending() == 0; });
  EXPECT_EQ(rows("state = 2"), 50'001);
  EXPECT_EQ(count("SELECT count(*) FROM endings"), 0);
}

TEST_F(ChoresTest, OthersAreAnsweredMeanwhile) {
  reopen_with(50'000);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  submit(client_);
  EXPECT_GT(pending(), 40'000U) << "the answer did not wait for all of it";
  await([&] { return pending() == 0; });
}

TEST_F(ChoresTest, WhatIsNotEndedYetIsShownAsIfItWere) {
  reopen_with(50'000);
  const auto last =
      reader_->deliveries({.endpoint = endpoint_, .state = {}, .before = {}, .limit = 1}).deliveries.at(0);
  ASSERT_EQ(last.state, DeliveryState::pending);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  const auto shown = reader_->find_delivery_report(last.id);
  EXPECT_EQ(shown->state, DeliveryState::failed);
  EXPECT_EQ(shown->due_at, std::nullopt);
  EXPECT_FALSE(reader_->find_pending(last.id));
  hub::Reader::DeliveryPage page{.endpoint = endpoint_, .state = DeliveryState::failed, .before = {}, .limit = 3};
  const auto failed = reader_->deliveries(page).deliveries;
  ASSERT_EQ(failed.size(), 3U);
  EXPECT_EQ(failed[0].id, last.id);
  EXPECT_EQ(failed[1].id.value, last.id.value - 1);
  page.state = DeliveryState::pending;
  EXPECT_TRUE(reader_->deliveries(page).deliveries.empty());
}

TEST_F(ChoresTest, AnEndpointThatIsEnabledAgainKeepsWhatWasNotEndedYet) {
  reopen_with(50'000);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::enabled));
  EXPECT_EQ(home_.batches().back()->endpoints_due, std::vector{endpoint_});
  await([&] { return count("SELECT count(*) FROM endings") == 0; });
  const auto left = pending();
  EXPECT_GT(left, 0U);
  EXPECT_EQ(rows("state = 0"), static_cast<std::int64_t>(left));
  EXPECT_EQ(reader_->backlog().size(), 1U);
}

TEST_F(ChoresTest, TheEndGoesOnAfterARestart) {
  reopen_with(50'000);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  close();
  ASSERT_GT(rows("state = 0"), 0) << "the store did not wait for it to end";
  open();
  EXPECT_TRUE(reader_->backlog().empty());
  await([&] { return pending() == 0; });
  EXPECT_EQ(rows("state = 2"), 50'001);
}

TEST_F(ChoresTest, OfADeletedEndpointNothingStays) {
  const auto other = make_endpoint(client_, "https://a.example/other", all_events).id;
  submit(client_);
  close();
  add_deliveries(endpoint_, 1'000, DeliveryState::failed);
  add_deliveries(endpoint_, 1'000, DeliveryState::delivered);
  add_deliveries(endpoint_, 1'000);
  open();
  const auto some =
      reader_->deliveries({.endpoint = endpoint_, .state = {}, .before = {}, .limit = 1}).deliveries.at(0).id;
  ASSERT_TRUE(remove(client_, endpoint_));
  EXPECT_FALSE(reader_->find_delivery_report(some));
  EXPECT_FALSE(reader_->find_pending(some));
  EXPECT_TRUE(reader_->deliveries({.endpoint = endpoint_, .state = {}, .before = {}}).deliveries.empty());
  await([&] { return rows("1") == 0; });
  EXPECT_EQ(count("SELECT count(*) FROM attempts"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM webhook_secrets WHERE endpoint = " + std::to_string(endpoint_.value)), 0);
  EXPECT_EQ(due(other).size(), 1U);
  await([&] { return pending() == 1; });
}

TEST_F(ChoresTest, TheNumberOfADeliveryThatIsGoneIsNotGivenAgain) {
  const auto other = make_endpoint(client_, "https://a.example/other", all_events).id;
  ASSERT_TRUE(set_status(client_, other, EndpointStatus::disabled));
  reopen_with(10);
  const auto last =
      reader_->deliveries({.endpoint = endpoint_, .state = {}, .before = {}, .limit = 1}).deliveries.at(0).id;
  ASSERT_TRUE(remove(client_, endpoint_));
  await([&] { return rows("1") == 0; });
  close();
  open();
  ASSERT_TRUE(set_status(client_, other, EndpointStatus::enabled));
  submit(client_);
  ASSERT_EQ(due(other).size(), 1U);
  EXPECT_GT(due(other)[0].id, last);
  record(attempt_at(endpoint_, due(other)[0].id));
  EXPECT_EQ(due(other).size(), 1U) << "an attempt at the one is none at the other";
}

TEST_F(ChoresTest, WhatIsOldGoesWithItsAttemptsAndWhatIsPendingStays) {
  constexpr hub::UnixMs day_ms = 24LL * 60 * 60 * 1'000;
  close();
  add_deliveries(endpoint_, 2'000, DeliveryState::delivered);
  add_deliveries(endpoint_, 100);
  add_deliveries(endpoint_, 2'000, DeliveryState::failed);
  clock_.now += 29 * day_ms;
  add_deliveries(endpoint_, 50, DeliveryState::delivered);
  open();
  clock_.now += day_ms;
  submit(client_);
  EXPECT_EQ(rows("state <> 0"), 4'050) << "kept for thirty days, to the millisecond";
  clock_.now += 1;
  await([&] {
    submit(client_);
    clock_.now += 5'000;
    return rows("state <> 0") == 50;
  });
  EXPECT_EQ(count("SELECT count(*) FROM attempts"), 50);
  EXPECT_GE(rows("state = 0"), 101);

  // What was pending then, and has ended since, goes too.
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  await([&] {
    clock_.now += 20'000;
    submit(client_);
    return rows("created_at < 1700000000001") == 0;
  });
}

TEST_F(ChoresTest, KeptForEverNothingGoes) {
  options_.keep_deliveries_ms = 0;
  reopen_with(10, DeliveryState::delivered);
  clock_.now += 1'000'000'000'000;
  for (int i = 0; i < 5; ++i) submit(client_);
  EXPECT_EQ(rows("state = 1"), 10);
}

TEST_F(ChoresTest, WhatAFullDiskUndidIsDoneLater) {
  reopen_with(20'000);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit limited{4'096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limited);
  await([&] { return !store_->writable(); });
  EXPECT_EQ(rows("state = 0"), static_cast<std::int64_t>(pending())) << "what was rolled back is not counted";
  setrlimit(RLIMIT_FSIZE, &before);
  await([&] { return pending() == 0; });
  EXPECT_EQ(rows("state = 2"), 20'001);
}

TEST_F(ChoresTest, TheGaugeIsRightThroughEverything) {
  const auto agrees = [&] {
    return static_cast<std::int64_t>(pending()) == count("SELECT count(*) FROM deliveries WHERE state = 0");
  };
  for (int i = 0; i < 5; ++i) submit(client_);
  EXPECT_EQ(pending(), 6U);
  const auto all = due(endpoint_);
  record(attempt_at(endpoint_, all[0].id));
  record(attempt_at(endpoint_, all[0].id));
  EXPECT_EQ(pending(), 5U);
  record(attempt_at(endpoint_, all[1].id, DeliveryState::failed));
  record(attempt_at(endpoint_, all[2].id, DeliveryState::pending));
  EXPECT_EQ(pending(), 4U);
  const auto redeliver = [&](hub::DeliveryId id) {
    return ask<hub::DeliveryReport>([&](auto then) { store_->redeliver(client_, id, home_, then); });
  };
  ASSERT_TRUE(redeliver(all[0].id));
  ASSERT_TRUE(redeliver(all[2].id));
  EXPECT_EQ(pending(), 5U);
  ASSERT_TRUE(ask<hub::DeliveryReport>([&](auto then) { store_->test_endpoint(client_, endpoint_, home_, then); }));
  EXPECT_EQ(pending(), 6U);
  close();
  open();
  EXPECT_EQ(pending(), 6U);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  await([&] { return pending() == 1; });
  EXPECT_TRUE(agrees());
  ASSERT_TRUE(remove(client_, endpoint_));
  await([&] { return pending() == 0; });
  EXPECT_TRUE(agrees());
}

}  // namespace
}  // namespace carillon::storage::sqlite
