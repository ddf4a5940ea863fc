// webhook.disabled: an event of no job, which takes its number and goes to those of the owner's endpoints that ask for
// it.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::EventKind;

constexpr hub::EventKinds of_webhooks = hub::EventKinds{}.with(EventKind::webhook_disabled);

class OwnerEventsTest : public StoreTest {
 protected:
  OwnerEventsTest() {
    open();
    client_ = principal(make_key("acme"));
    failing_ = make_endpoint(client_, "https://a.example/failing").id;
    watching_ = make_endpoint(client_, "https://a.example/watching", of_webhooks).id;
  }

  void disable_by_failure(hub::EndpointId endpoint) {
    const hub::Job job = submit(client_);
    ASSERT_TRUE(report(client_, job.id, hub::JobStatus::failed));
    auto attempt = attempt_at(endpoint, due(endpoint).at(0).id, hub::DeliveryState::failed);
    attempt.disable_reason = "It answered 410.";
    record(attempt);
  }
  std::string data_of(hub::EndpointId endpoint, const std::string& url, const std::string& reason) const {
    return R"({"webhook_id":")" + to_text(endpoint) + R"(","url":")" + url + R"(","reason":")" + reason + "\"}";
  }

  hub::Principal client_;
  hub::EndpointId failing_;
  hub::EndpointId watching_;
};

TEST_F(OwnerEventsTest, AnEndpointThatIsDisabledIsTold) {
  disable_by_failure(failing_);
  const auto batch = home_.batches().back();
  ASSERT_EQ(batch->events.size(), 1U);
  const hub::Event& event = *batch->events[0];
  EXPECT_EQ(event.kind, EventKind::webhook_disabled);
  EXPECT_EQ(event.seq, 3);
  EXPECT_EQ(event.seq, batch->last);
  EXPECT_EQ(event.owner.key, client_.key);
  EXPECT_EQ(event.job, hub::JobId{});
  EXPECT_EQ(*event.data, data_of(failing_, "https://a.example/failing", "It answered 410."));
  ASSERT_EQ(batch->deliveries.size(), 1U);
  EXPECT_EQ(batch->deliveries[0].endpoint, watching_);
  EXPECT_EQ(batch->deliveries[0].event, batch->events[0]);

  const auto read = due(watching_).at(0);
  EXPECT_EQ(*read.event->data, *event.data);
  EXPECT_EQ(read.event->kind, EventKind::webhook_disabled);
  EXPECT_EQ(read.event->seq, 3);
  EXPECT_EQ(read.event->at, event.at);
  EXPECT_EQ(read.event->owner.account, client_.account);
  EXPECT_EQ(read.event->result, nullptr);
  const auto report = reader_->find_delivery_report(read.id);
  EXPECT_EQ(report->kind, EventKind::webhook_disabled);
  EXPECT_EQ(report->job, std::nullopt);
  EXPECT_EQ(store_->tallies().events_of(EventKind::webhook_disabled).read(), 1U);
}

TEST_F(OwnerEventsTest, SoIsOneThatWasDisabledByHandOnce) {
  ASSERT_TRUE(set_status(client_, failing_, hub::EndpointStatus::disabled));
  ASSERT_TRUE(set_status(client_, failing_, hub::EndpointStatus::disabled));
  EXPECT_EQ(reader_->last_seq(), 1);
  EXPECT_EQ(*due(watching_).at(0).event->data,
            data_of(failing_, "https://a.example/failing", "It was disabled on request."));
  EXPECT_EQ(reader_->find_endpoint(failing_)->disabled_reason, "It was disabled on request.");
  ASSERT_TRUE(set_status(client_, failing_, hub::EndpointStatus::enabled));
  EXPECT_EQ(reader_->find_endpoint(failing_)->disabled_reason, "");
  EXPECT_EQ(reader_->last_seq(), 1) << "enabling is no event";
}

TEST_F(OwnerEventsTest, AndTheEndpointOfAJobsOwnHook) {
  const hub::Submission submission{
      client_, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/job", hub::final_events, ""}};
  ASSERT_TRUE(submit(submission));
  ASSERT_TRUE(report(client_, submission.job, hub::JobStatus::failed));
  const auto hook = endpoints_of(client_.key, true).at(0).id;
  auto attempt = attempt_at(hook, due(hook).at(0).id, hub::DeliveryState::failed);
  attempt.disable_reason = "It answered 410.";
  record(attempt);
  EXPECT_EQ(*due(watching_).at(0).event->data, data_of(hook, "https://a.example/job", "It answered 410."));
}

TEST_F(OwnerEventsTest, WhoWasDisabledItselfIsOwedItForAReplay) {
  ASSERT_TRUE(set_status(client_, watching_, hub::EndpointStatus::disabled));
  EXPECT_TRUE(due(watching_).empty());
  const auto all = reader_->deliveries({.endpoint = watching_, .state = {}, .before = {}}).deliveries;
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].state, hub::DeliveryState::failed);
  EXPECT_EQ(all[0].attempts, 0);
}

TEST_F(OwnerEventsTest, StrangersAreNotTold) {
  const auto other = principal(make_key("other"));
  const auto theirs = make_endpoint(other, "https://a.example/theirs", of_webhooks).id;
  disable_by_failure(failing_);
  EXPECT_TRUE(due(theirs).empty());
}

TEST_F(OwnerEventsTest, WhoResumesIsToldOfJobsAloneAndMissesNothing) {
  disable_by_failure(failing_);
  submit(client_);
  const auto since = reader_->events_since({client_.key, client_.account}, 0, {});
  EXPECT_EQ(since.last, 4);
  ASSERT_TRUE(since.missed.complete);
  ASSERT_EQ(since.missed.events.size(), 3U);
  for (const auto& event : since.missed.events) EXPECT_TRUE(hub::is_of_job(event->kind));
}

}  // namespace
}  // namespace carillon::storage::sqlite
