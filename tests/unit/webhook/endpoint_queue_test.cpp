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
    queue_.emplace(endpoint.id, window);
  }

  /// Submits a job and returns the news of the delivery it owes.
  hub::DeliveryNotice owe() {
    submit(client_);
    return home_.batches().back()->deliveries.at(0);
  }
  hub::UnixMs now() const { return clock_.now_ms(); }

  hub::Principal client_;
  std::optional<EndpointQueue> queue_;
};

TEST_F(EndpointQueueTest, NewsGoesStraightToMemory) {
  const auto notice = owe();
  queue_->offer(notice, now());
  ASSERT_TRUE(queue_->has_ready());
  EXPECT_EQ(queue_->disk_due_at(), EndpointQueue::never);
  EXPECT_EQ(queue_->next().event, notice.event);
  EXPECT_FALSE(queue_->idle()) << "its outcome is not committed";
  queue_->release(notice.delivery);
  EXPECT_TRUE(queue_->idle());
}

TEST_F(EndpointQueueTest, WhatIsFoundOnDiskIsNotTakenUpAgainByItsNews) {
  const auto notice = owe();
  queue_->note_on_disk(now());
  queue_->refill(*reader_, now());
  queue_->offer(notice, now());
  EXPECT_EQ(queue_->next().id, notice.delivery);
  EXPECT_FALSE(queue_->has_ready());
  EXPECT_EQ(queue_->disk_due_at(), EndpointQueue::never);
}

TEST_F(EndpointQueueTest, WhatIsUnderWayIsNotReadAgain) {
  const auto notice = owe();
  queue_->offer(notice, now());
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
    queue_->offer(notice, now());
  }
  EXPECT_LE(queue_->disk_due_at(), now());
  std::vector<hub::DeliveryId> sent;
  while (queue_->has_ready() || queue_->wants_refill(now())) {
    if (queue_->wants_refill(now())) queue_->refill(*reader_, now());
    for (std::size_t held = 0; queue_->has_ready(); ++held) {
      ASSERT_LT(held, window);
      sent.push_back(queue_->next().id);
    }
  }
  EXPECT_EQ(sent, owed);
}

TEST_F(EndpointQueueTest, ARetryIsOnDiskUntilItIsDue) {
  auto notice = owe();
  notice.event = nullptr;
  notice.due_at = now() + 5'000;
  queue_->offer(notice, now());
  EXPECT_FALSE(queue_->has_ready());
  EXPECT_FALSE(queue_->wants_refill(now()));
  EXPECT_TRUE(queue_->wants_refill(now() + 5'000));
}

TEST_F(EndpointQueueTest, WhatIsPutBackIsFoundAgain) {
  const auto notice = owe();
  queue_->offer(notice, now());
  queue_->put_back_ready();
  EXPECT_FALSE(queue_->has_ready());
  ASSERT_TRUE(queue_->wants_refill(now()));
  queue_->refill(*reader_, now());
  EXPECT_EQ(queue_->next().id, notice.delivery);
}

}  // namespace
}  // namespace carillon::channels::webhook
