#include "channels/webhook/endpoint_queue.h"

#include <gtest/gtest.h>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::channels::webhook {
namespace {

constexpr std::size_t window = 3;

class EndpointQueueTest : public storage::sqlite::StoreTest {
 protected:
  EndpointQueueTest() {
    open();
    client_ = principal(make_key("acme"));
    const auto endpoint = make_endpoint(client_, "https://a.example/", hub::EventKinds{}.with(hub::EventKind::queued));
    queue_.emplace(endpoint.id, EndpointQueue::Limits{.ready_max = window}, budget_);
  }

  /// Submits a job and returns the news of the delivery it owes.
  hub::DeliveryNotice owe() {
    submit(client_);
    return home_.batches().back()->deliveries.at(0);
  }
  hub::UnixMs now() const { return clock_.now_ms(); }

  void offer(const hub::DeliveryNotice& notice) { queue_->offer(notice, durable_at, now()); }

  static constexpr std::chrono::steady_clock::time_point durable_at{std::chrono::seconds(1)};

  hub::Principal client_;
  WindowBudget budget_{1024 * 1024};
  std::optional<EndpointQueue> queue_;
};

TEST_F(EndpointQueueTest, NewsGoesStraightToMemory) {
  const auto notice = owe();
  offer(notice);
  ASSERT_TRUE(queue_->has_ready());
  EXPECT_EQ(queue_->disk_due_at(), EndpointQueue::never);
  const Waiting waiting = queue_->next();
  EXPECT_EQ(waiting.delivery.event, notice.event);
  EXPECT_EQ(waiting.durable_at, durable_at);
  EXPECT_FALSE(queue_->idle()) << "its outcome is not committed";
  queue_->release(notice.delivery);
  EXPECT_TRUE(queue_->idle());
}

TEST_F(EndpointQueueTest, WhatIsFoundOnDiskIsNotTakenUpAgainByItsNews) {
  const auto notice = owe();
  queue_->note_on_disk(now());
  queue_->refill(*reader_, now());
  offer(notice);
  EXPECT_EQ(queue_->next().delivery.id, notice.delivery);
  EXPECT_FALSE(queue_->has_ready());
  EXPECT_EQ(queue_->disk_due_at(), EndpointQueue::never);
}

TEST_F(EndpointQueueTest, WhatIsUnderWayIsNotReadAgain) {
  const auto notice = owe();
  offer(notice);
  queue_->next();
  queue_->note_on_disk(now());
  queue_->refill(*reader_, now());
  EXPECT_FALSE(queue_->has_ready());
}

TEST_F(EndpointQueueTest, TheWindowIsBoundedAndTheRestIsFoundInOrder) {
  std::vector<hub::DeliveryId> owed;
  for (int i = 0; i < 10; ++i) {
    const auto notice = owe();
    owed.push_back(notice.delivery);
    offer(notice);
  }
  EXPECT_LE(queue_->disk_due_at(), now());
  std::vector<hub::DeliveryId> sent;
  while (queue_->has_ready() || queue_->wants_refill(now())) {
    if (queue_->wants_refill(now())) queue_->refill(*reader_, now());
    for (std::size_t held = 0; queue_->has_ready(); ++held) {
      ASSERT_LT(held, window);
      sent.push_back(queue_->next().delivery.id);
    }
  }
  EXPECT_EQ(sent, owed);
}

TEST_F(EndpointQueueTest, ARetryIsOnDiskUntilItIsDue) {
  auto notice = owe();
  notice.event = nullptr;
  notice.due_at = now() + 5'000;
  offer(notice);
  EXPECT_FALSE(queue_->has_ready());
  EXPECT_FALSE(queue_->wants_refill(now()));
  EXPECT_TRUE(queue_->wants_refill(now() + 5'000));
}

TEST_F(EndpointQueueTest, NewsOvertakesNothingOnDiskWhereOrderMayMatter) {
  queue_->note_on_disk(now() + 5'000);  // a retry, found at a start: nothing else is known of the endpoint yet
  offer(owe());
  EXPECT_FALSE(queue_->has_ready());
  EXPECT_LE(queue_->disk_due_at(), now()) << "it is read in its turn";
}

TEST_F(EndpointQueueTest, WhatIsPutBackIsFoundAgain) {
  const auto notice = owe();
  offer(notice);
  queue_->put_back_ready();
  EXPECT_FALSE(queue_->has_ready());
  ASSERT_TRUE(queue_->wants_refill(now()));
  queue_->refill(*reader_, now());
  EXPECT_EQ(queue_->next().delivery.id, notice.delivery);
}

TEST_F(EndpointQueueTest, WhatAnErasedJobHeldIsForgottenAndReadAnew) {
  const auto notice = owe();
  offer(notice);
  EXPECT_FALSE(queue_->forget(hub::JobId::random()));
  EXPECT_TRUE(queue_->has_ready());
  EXPECT_TRUE(queue_->forget(notice.event->job));
  EXPECT_FALSE(queue_->has_ready());
  queue_->refill(*reader_, now());
  EXPECT_NE(queue_->next().delivery.event, notice.event);
}

TEST_F(EndpointQueueTest, WhatThereIsNoRoomForStaysOnDiskButForOne) {
  WindowBudget full(1);
  full.take(1);
  EndpointQueue queue(queue_->id(), {.ready_max = window}, full);
  queue.offer(owe(), durable_at, now());
  queue.offer(owe(), durable_at, now());
  EXPECT_FALSE(queue.has_ready()) << "the budget is spent";
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(queue.wants_refill(now()));
    queue.refill(*reader_, now());
    queue.next();
    EXPECT_FALSE(queue.has_ready()) << "one goes always, or nothing would ever";
  }
}

TEST_F(EndpointQueueTest, WhatLeavesMemoryGivesItsRoomBack) {
  const std::size_t before = budget_.bytes();
  for (int i = 0; i < 2; ++i) offer(owe());
  EXPECT_GT(budget_.bytes(), before);
  queue_->next();
  queue_->put_back_ready();
  EXPECT_EQ(budget_.bytes(), before);
  offer(owe());
  queue_.reset();
  EXPECT_EQ(budget_.bytes(), before);
}

TEST_F(EndpointQueueTest, IsInProgressUntilTheOutcomeIsCommitted) {
  const auto first = owe();
  offer(first);
  offer(owe());
  EXPECT_FALSE(queue_->in_progress());
  queue_->next();
  EXPECT_TRUE(queue_->in_progress());
  queue_->release(first.delivery);
  EXPECT_FALSE(queue_->in_progress());
  EXPECT_TRUE(queue_->has_ready());
}

}  // namespace
}  // namespace carillon::channels::webhook
