// Ordered endpoints: what is owed comes in the order of its events, and a first delivery that fails holds up the rest.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::DeliveryState;

constexpr hub::EventKinds all_events{0x1F};

class OrderedTest : public StoreTest {
 protected:
  OrderedTest() {
    open();
    client_ = principal(make_key("acme"));
  }

  hub::EndpointId make(bool ordered) {
    auto wanted = new_endpoint(client_, "https://a.example/hook", all_events);
    wanted.ordered = ordered;
    return make_endpoint(wanted).id;
  }
  hub::Outcome<hub::Endpoint> set_ordered(hub::EndpointId endpoint, bool ordered) {
    hub::EndpointChange wanted;
    wanted.by = client_;
    wanted.endpoint = endpoint;
    wanted.ordered = ordered;
    return change(wanted);
  }
  std::vector<hub::Seq> order(hub::EndpointId endpoint) {
    std::vector<hub::Seq> seqs;
    for (const auto& delivery : due(endpoint)) seqs.push_back(delivery.event->seq);
    return seqs;
  }
  hub::Attempt later(hub::EndpointId endpoint, hub::DeliveryId id) const {
    auto attempt = attempt_at(endpoint, id, DeliveryState::pending);
    attempt.next_due_at = clock_.now_ms() + 5'000;
    return attempt;
  }
  std::optional<hub::UnixMs> due_at(hub::DeliveryId id) { return reader_->find_delivery_report(id)->due_at; }

  hub::Principal client_;
};

TEST_F(OrderedTest, AFirstDeliveryThatFailsHoldsUpTheRestAndComesFirstAgain) {
  const auto endpoint = make(true);
  for (int i = 0; i < 3; ++i) submit(client_);
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{1, 2, 3}));
  const auto all = due(endpoint);
  EXPECT_EQ(due_at(all[0].id), clock_.now_ms());
  EXPECT_EQ(due_at(all[1].id), std::nullopt) << "it waits behind another";

  const auto attempt = later(endpoint, all[0].id);
  record(attempt);
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, attempt.next_due_at);
  EXPECT_EQ(due_at(all[0].id), attempt.next_due_at);
  EXPECT_EQ(home_.batches().back()->deliveries.at(0).due_at, attempt.next_due_at);
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{1, 2, 3})) << "the order is on disk, the time is the endpoint's";
  EXPECT_EQ(reader_->backlog().at(0).next_due_at, attempt.next_due_at);

  record(attempt_at(endpoint, all[0].id));
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, std::nullopt);
  EXPECT_EQ(reader_->find_endpoint(endpoint)->failing_since, std::nullopt);
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{2, 3}));
}

TEST_F(OrderedTest, AFirstDeliveryThatFailsForGoodLetsTheRestGo) {
  const auto endpoint = make(true);
  for (int i = 0; i < 2; ++i) submit(client_);
  const auto all = due(endpoint);
  record(later(endpoint, all[0].id));
  record(attempt_at(endpoint, all[0].id, DeliveryState::failed));
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, std::nullopt);
  EXPECT_TRUE(reader_->find_endpoint(endpoint)->failing_since);
  EXPECT_EQ(order(endpoint), std::vector<hub::Seq>{2});
  EXPECT_EQ(due_at(all[1].id), clock_.now_ms());
}

TEST_F(OrderedTest, TheHoldIsThereAfterARestart) {
  const auto endpoint = make(true);
  submit(client_);
  const auto attempt = later(endpoint, due(endpoint)[0].id);
  record(attempt);
  close();
  open();
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, attempt.next_due_at);
  record(attempt_at(endpoint, attempt.delivery));
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, std::nullopt);
}

TEST_F(OrderedTest, ATestGoesFirstAndNeitherHoldsNorReleases) {
  const auto endpoint = make(true);
  submit(client_);
  const auto head = later(endpoint, due(endpoint)[0].id);
  record(head);
  const auto test = ask<hub::DeliveryReport>([&](auto then) { store_->test_endpoint(client_, endpoint, home_, then); });
  EXPECT_EQ(due(endpoint).at(0).id, test->id);
  record(attempt_at(endpoint, test->id));
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, head.next_due_at);
  EXPECT_TRUE(reader_->find_endpoint(endpoint)->failing_since);
}

TEST_F(OrderedTest, WhatIsPendingIsPutInOrderWhenThatIsAskedForAndIsAllDueWhenItIsNot) {
  const auto endpoint = make(false);
  for (int i = 0; i < 3; ++i) submit(client_);
  auto all = due(endpoint);
  record(later(endpoint, all[0].id));
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{2, 3}));
  ASSERT_TRUE(set_ordered(endpoint, true));
  EXPECT_EQ(home_.batches().back()->endpoints_due, std::vector{endpoint});
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{1, 2, 3}));
  submit(client_);
  record(later(endpoint, all[0].id));
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{1, 2, 3, 4}));

  ASSERT_TRUE(set_ordered(endpoint, false));
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, std::nullopt);
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{1, 2, 3, 4}));
  EXPECT_EQ(due_at(all[1].id), clock_.now_ms());
}

TEST_F(OrderedTest, AnAttemptFromBeforeTheChangeIsTakenAsTheEndpointIsNow) {
  const auto endpoint = make(false);
  for (int i = 0; i < 2; ++i) submit(client_);
  const auto attempt = later(endpoint, due(endpoint)[0].id);
  ASSERT_TRUE(set_ordered(endpoint, true));
  record(attempt);
  EXPECT_EQ(order(endpoint), (std::vector<hub::Seq>{1, 2}));
  EXPECT_EQ(reader_->find_endpoint(endpoint)->held_until, attempt.next_due_at);
}

TEST_F(OrderedTest, MoreThanCanBePutInOrderInOneCommitIsRefused) {
  const auto endpoint = make(false);
  submit(client_);
  close();
  add_deliveries(endpoint, 10'000);
  open();
  EXPECT_EQ(set_ordered(endpoint, true).refusal(), hub::Refusal::limit_reached);
  EXPECT_FALSE(reader_->find_endpoint(endpoint)->ordered);
  record(attempt_at(endpoint, due(endpoint, 1)[0].id));
  ASSERT_TRUE(set_ordered(endpoint, true));
  EXPECT_EQ(reader_->due(endpoint, 0, 20'000).size(), 10'000U);
}

}  // namespace
}  // namespace carillon::storage::sqlite
