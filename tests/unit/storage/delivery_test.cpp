#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::DeliveryState;
using hub::JobStatus;

class DeliveryTest : public StoreTest {
 protected:
  DeliveryTest() {
    open();
    client_ = principal(make_key("acme"));
    endpoint_ = make_endpoint(client_, "https://a.example/hook").id;
  }

  /// One delivery that is owed.
  hub::Delivery owe() {
    const hub::Job job = submit(client_);
    report(client_, job.id, JobStatus::running);
    report({client_, job.id, JobStatus::succeeded, hub::make_text("{\"n\":1}"), {}, {}});
    return due().back();
  }
  std::vector<hub::Delivery> due() { return StoreTest::due(endpoint_); }

  void record(hub::Attempt attempt) {
    attempt.endpoint = endpoint_;
    attempt.started_at = clock_.now_ms();
    StoreTest::record(attempt);
  }

  hub::Principal client_;
  hub::EndpointId endpoint_;
};

TEST_F(DeliveryTest, ADeliveryIsThereWithItsWholeEventFromTheCommitOn) {
  const hub::Delivery delivery = owe();
  const auto batch = home_.batches().back();
  ASSERT_EQ(batch->deliveries.size(), 1U);
  EXPECT_EQ(batch->deliveries[0].delivery, delivery.id);
  EXPECT_EQ(batch->deliveries[0].message, delivery.message);
  EXPECT_EQ(batch->deliveries[0].event, batch->events[0]);
  EXPECT_EQ(delivery.tries, 0);
  EXPECT_EQ(delivery.event->seq, batch->last);
  EXPECT_EQ(delivery.event->job, batch->events[0]->job);
  EXPECT_EQ(*delivery.event->result, "{\"n\":1}");
  EXPECT_EQ(delivery.event->kind, hub::EventKind::succeeded);
}

TEST_F(DeliveryTest, WhatIsDeliveredIsNotDueAgain) {
  const hub::Delivery delivery = owe();
  hub::Attempt attempt;
  attempt.delivery = delivery.id;
  attempt.http_status = 204;
  record(attempt);
  EXPECT_TRUE(due().empty());
  EXPECT_TRUE(reader_->backlog().empty());
}

TEST_F(DeliveryTest, AFailedAttemptIsDueLaterWithTheSameMessage) {
  const hub::Delivery delivery = owe();
  hub::Attempt attempt;
  attempt.delivery = delivery.id;
  attempt.http_status = 503;
  attempt.next_state = DeliveryState::pending;
  attempt.next_due_at = clock_.now_ms() + 5'000;
  record(attempt);
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(reader_->next_due(endpoint_, clock_.now_ms()), attempt.next_due_at);
  EXPECT_EQ(reader_->find_endpoint(endpoint_)->failing_since, clock_.now_ms());
  EXPECT_EQ(home_.batches().back()->deliveries.at(0).due_at, attempt.next_due_at);
  clock_.now += 5'000;
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].tries, 1);
  EXPECT_EQ(due()[0].message, delivery.message);

  attempt.next_state = DeliveryState::delivered;
  record(attempt);
  EXPECT_FALSE(reader_->find_endpoint(endpoint_)->failing_since);
}

TEST_F(DeliveryTest, ADisablingAttemptEndsEverythingPendingAndTellsWhy) {
  const hub::Delivery first = owe();
  owe();
  hub::Attempt attempt;
  attempt.delivery = first.id;
  attempt.http_status = 410;
  attempt.next_state = DeliveryState::failed;
  attempt.disable_reason = "it answered 410 Gone";
  record(attempt);
  EXPECT_TRUE(reader_->backlog().empty());
  const auto endpoint = reader_->find_endpoint(endpoint_);
  EXPECT_EQ(endpoint->status, hub::EndpointStatus::disabled);
  EXPECT_EQ(endpoint->disabled_reason, "it answered 410 Gone");
  EXPECT_EQ(home_.batches().back()->endpoints_changed, std::vector{endpoint_});
  submit(client_);
  EXPECT_TRUE(reader_->backlog().empty());
}

TEST_F(DeliveryTest, WhatWasGivenUpWhileAnAttemptWasUnderWayStaysSoUnlessItArrived) {
  const auto first = owe();
  const auto second = owe();
  ASSERT_TRUE(set_status(client_, endpoint_, hub::EndpointStatus::disabled));
  await([&] { return pending() == 0; });
  record(attempt_at(endpoint_, first.id, DeliveryState::pending));
  ASSERT_TRUE(set_status(client_, endpoint_, hub::EndpointStatus::enabled));
  record(attempt_at(endpoint_, first.id, DeliveryState::pending));
  EXPECT_TRUE(home_.batches().back()->deliveries.empty()) << "nor told to be due again";
  EXPECT_EQ(reader_->find_delivery_report(first.id)->state, DeliveryState::failed);
  EXPECT_EQ(reader_->find_delivery_report(first.id)->attempts, 2);
  record(attempt_at(endpoint_, second.id));
  EXPECT_EQ(reader_->find_delivery_report(second.id)->state, DeliveryState::delivered);
  EXPECT_EQ(pending(), 0U);
  EXPECT_EQ(reader_->attempts_at(first.id, 10).size(), 2U);
}

TEST_F(DeliveryTest, AreFoundByTheirEvent) {
  const auto second = make_endpoint(client_, "https://a.example/second").id;
  const auto first_event = owe().event->seq;
  const auto next_event = owe().event->seq;
  const auto found = reader_->deliveries_of(first_event, 10);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].endpoint, endpoint_);
  EXPECT_EQ(found[1].endpoint, second);
  for (const auto& delivery : found) EXPECT_EQ(delivery.seq, first_event);
  EXPECT_EQ(reader_->deliveries_of(first_event, 1).size(), 1U);
  EXPECT_EQ(reader_->deliveries_of(next_event, 10).at(0).seq, next_event);
  EXPECT_TRUE(reader_->deliveries_of(next_event - 1, 10).empty()) << "a job that runs is no delivery's event here";
}

TEST_F(DeliveryTest, AnAttemptAtADeliveryOfAnotherEndpointIsNone) {
  const auto delivery = owe();
  const auto other = make_endpoint(client_, "https://a.example/other").id;
  StoreTest::record(attempt_at(other, delivery.id));
  EXPECT_EQ(due().size(), 1U);
  EXPECT_TRUE(reader_->attempts_at(delivery.id, 10).empty());
}

TEST_F(DeliveryTest, AnAttemptIsShownAsItWas) {
  const auto delivery = owe();
  hub::Attempt attempt = attempt_at(endpoint_, delivery.id, DeliveryState::failed);
  attempt.duration_ms = 12;
  attempt.http_status = 0;
  attempt.error = "connection refused";
  attempt.response = std::string(2'000, 'x');
  record(attempt);
  const auto shown = reader_->attempts_at(delivery.id, 10).at(0);
  EXPECT_EQ(shown.number, 1);
  EXPECT_EQ(shown.started_at, clock_.now_ms());
  EXPECT_EQ(shown.duration_ms, 12);
  EXPECT_EQ(shown.http_status, 0);
  EXPECT_EQ(shown.error, "connection refused");
  EXPECT_EQ(shown.response, std::string(1'024, 'x'));
  const auto report = reader_->find_delivery_report(delivery.id);
  EXPECT_EQ(report->endpoint, endpoint_);
  EXPECT_EQ(report->message, delivery.message);
  EXPECT_EQ(report->job, delivery.event->job);
  EXPECT_EQ(report->kind, hub::EventKind::succeeded);
  EXPECT_EQ(report->seq, delivery.event->seq);
  EXPECT_EQ(report->due_at, std::nullopt);
}

TEST_F(DeliveryTest, HowAnEndpointFaresIsKnownAfterARestart) {
  const auto delivery = owe();
  record(attempt_at(endpoint_, delivery.id, DeliveryState::pending));
  const auto since = reader_->find_endpoint(endpoint_)->failing_since;
  ASSERT_TRUE(since);
  close();
  open();
  clock_.now += 1'000;
  record(attempt_at(endpoint_, delivery.id, DeliveryState::pending));
  EXPECT_EQ(reader_->find_endpoint(endpoint_)->failing_since, since);
  record(attempt_at(endpoint_, delivery.id));
  EXPECT_EQ(reader_->find_endpoint(endpoint_)->failing_since, std::nullopt);
}

TEST_F(DeliveryTest, OwedDeliveriesOutliveARestart) {
  const hub::Delivery delivery = owe();
  close();
  open();
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].message, delivery.message);
}

}  // namespace
}  // namespace carillon::storage::sqlite
