// What is asked for by hand: one delivery again, many of a time again, and a test.
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::DeliveryState;
using hub::EndpointStatus;
using hub::Refusal;

constexpr hub::EventKinds all_events{0x1F};
constexpr hub::UnixMs for_ever = 9'000'000'000'000;

class SendingAgainTest : public StoreTest {
 protected:
  SendingAgainTest() {
    open();
    client_ = principal(make_key("acme"));
    other_ = principal(make_key("other"));
    endpoint_ = make_endpoint(client_, "https://a.example/hook", all_events).id;
  }

  hub::DeliveryId owe() {
    submit(client_);
    return home_.batches().back()->deliveries.at(0).delivery;
  }
  hub::Outcome<hub::DeliveryReport> redeliver(const hub::Principal& by, hub::DeliveryId id) {
    return ask<hub::DeliveryReport>([&](auto then) { store_->redeliver(by, id, home_, then); });
  }
  hub::Outcome<hub::DeliveryReport> test(const hub::Principal& by, hub::EndpointId id) {
    return ask<hub::DeliveryReport>([&](auto then) { store_->test_endpoint(by, id, home_, then); });
  }
  hub::Outcome<hub::ReplayProgress> replay(const hub::ReplaySlice& slice) {
    return ask<hub::ReplayProgress>([&](auto then) { store_->replay(slice, home_, then); });
  }
  /// All parts of a replay: how many were sent again, and in how many parts.
  std::pair<std::size_t, int> replay_all(hub::ReplaySlice slice) {
    std::size_t sent = 0;
    for (int parts = 1;; ++parts) {
      const auto progress = replay(slice);
      EXPECT_TRUE(progress);
      sent += progress->sent_again;
      if (!progress->after) return {sent, parts};
      slice.after = *progress->after;
    }
  }

  hub::Principal client_;
  hub::Principal other_;
  hub::EndpointId endpoint_;
};

TEST_F(SendingAgainTest, WhatFailedIsSentAgainWithAllTriesAheadOfItAndTheSameMessage) {
  const auto id = owe();
  const auto message = due(endpoint_).at(0).message;
  record(attempt_at(endpoint_, id, DeliveryState::pending));
  record(attempt_at(endpoint_, id, DeliveryState::failed));
  EXPECT_TRUE(due(endpoint_).empty());
  clock_.now += 1'000;
  const auto report = redeliver(client_, id);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->state, DeliveryState::pending);
  EXPECT_EQ(report->attempts, 2);
  EXPECT_EQ(report->due_at, clock_.now_ms());
  const auto& notice = home_.batches().back()->deliveries.at(0);
  EXPECT_EQ(notice.delivery, id);
  EXPECT_EQ(notice.message, message);
  EXPECT_EQ(notice.event, nullptr);
  const auto again = due(endpoint_).at(0);
  EXPECT_EQ(again.tries, 0);
  EXPECT_EQ(again.message, message);

  record(attempt_at(endpoint_, id));
  const auto attempts = reader_->attempts_at(id, 100);
  ASSERT_EQ(attempts.size(), 3U);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(attempts[static_cast<std::size_t>(i)].number, i + 1);
  EXPECT_EQ(attempts[0].http_status, 503);
  EXPECT_EQ(attempts[2].http_status, 204);
  const auto last = reader_->attempts_at(id, 2);
  ASSERT_EQ(last.size(), 2U);
  EXPECT_EQ(last[0].number, 2);
  ASSERT_TRUE(redeliver(client_, id)) << "what has arrived, too";
  EXPECT_EQ(due(endpoint_).size(), 1U);
}

TEST_F(SendingAgainTest, WhatWaitsForItsNextTryIsTriedNow) {
  const auto id = owe();
  auto attempt = attempt_at(endpoint_, id, DeliveryState::pending);
  attempt.next_due_at = clock_.now_ms() + 100'000;
  record(attempt);
  EXPECT_TRUE(due(endpoint_).empty());
  ASSERT_TRUE(redeliver(client_, id));
  EXPECT_EQ(due(endpoint_).at(0).tries, 0);
  EXPECT_EQ(pending(), 1U);
}

TEST_F(SendingAgainTest, AnOrderedEndpointThatWasHeldIsTriedNow) {
  auto wanted = new_endpoint(client_, "https://a.example/ordered", all_events);
  wanted.ordered = true;
  const auto ordered = make_endpoint(wanted).id;
  submit(client_);
  const auto id = due(ordered).at(0).id;
  auto attempt = attempt_at(ordered, id, DeliveryState::pending);
  attempt.next_due_at = clock_.now_ms() + 100'000;
  record(attempt);
  const auto report = redeliver(client_, id);
  EXPECT_EQ(report->due_at, clock_.now_ms());
  EXPECT_EQ(reader_->find_endpoint(ordered)->held_until, std::nullopt);
  EXPECT_EQ(home_.batches().back()->endpoints_changed, std::vector{ordered});
}

TEST_F(SendingAgainTest, OfAnotherOrToADisabledEndpointNothingIsSentAgain) {
  const auto id = owe();
  EXPECT_EQ(redeliver(other_, id).refusal(), Refusal::not_found);
  EXPECT_EQ(redeliver(client_, {4711}).refusal(), Refusal::not_found);
  EXPECT_EQ(replay({other_, endpoint_, 0, for_ever, true, {}}).refusal(), Refusal::not_found);
  EXPECT_EQ(test(other_, endpoint_).refusal(), Refusal::not_found);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  EXPECT_EQ(redeliver(client_, id).refusal(), Refusal::endpoint_disabled);
  EXPECT_EQ(replay({client_, endpoint_, 0, for_ever, true, {}}).refusal(), Refusal::endpoint_disabled);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::enabled));
  const auto admin = principal(make_key("other", hub::Role::admin));
  EXPECT_TRUE(redeliver(admin, id));
  EXPECT_TRUE(replay({admin, endpoint_, 0, for_ever, true, {}}));
}

TEST_F(SendingAgainTest, AReplayBringsWhatFailedInItsTimeAndNothingElse) {
  const hub::UnixMs start = clock_.now_ms();
  std::vector<hub::DeliveryId> ids;
  for (int i = 0; i < 6; ++i, clock_.now += 1'000) ids.push_back(owe());
  for (const int failed : {0, 2, 4, 5}) {
    record(attempt_at(endpoint_, ids[static_cast<std::size_t>(failed)], DeliveryState::failed));
  }
  record(attempt_at(endpoint_, ids[1]));
  const auto progress = replay({client_, endpoint_, start + 1'000, start + 5'000, false, {}});
  EXPECT_EQ(progress->sent_again, 2U) << "2 and 4: 0 and 5 are of another time, 1 arrived, 3 is pending";
  EXPECT_EQ(progress->after, std::nullopt);
  EXPECT_EQ(home_.batches().back()->endpoints_due, std::vector{endpoint_});
  std::vector<hub::DeliveryId> again;
  for (const auto& delivery : due(endpoint_)) again.push_back(delivery.id);
  EXPECT_THAT(again, ::testing::UnorderedElementsAre(ids[2], ids[3], ids[4]));

  EXPECT_EQ(replay({client_, endpoint_, start, start + 2'000, true, {}})->sent_again, 2U) << "0, and 1 that arrived";
}

TEST_F(SendingAgainTest, ALongReplayGoesPartByPart) {
  owe();
  close();
  add_deliveries(endpoint_, 2'500, DeliveryState::failed);
  add_deliveries(endpoint_, 1'000, DeliveryState::delivered);
  open();
  EXPECT_EQ(replay_all({client_, endpoint_, 0, for_ever, false, {}}), (std::pair<std::size_t, int>{2'500, 3}));
  EXPECT_EQ(pending(), 2'501U);
  EXPECT_EQ(replay_all({client_, endpoint_, 0, for_ever, false, {}}), (std::pair<std::size_t, int>{0, 1}));
  EXPECT_EQ(replay_all({client_, endpoint_, 0, for_ever, true, {}}), (std::pair<std::size_t, int>{1'000, 4}));
  EXPECT_EQ(pending(), 3'501U);
}

TEST_F(SendingAgainTest, WhatADisabledEndpointWouldHaveBeenOwedIsWrittenForAReplay) {
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  submit(client_);
  EXPECT_TRUE(home_.batches().back()->deliveries.empty());
  EXPECT_EQ(pending(), 0U);
  close();
  open();
  submit(client_);
  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::enabled));
  EXPECT_TRUE(due(endpoint_).empty());
  EXPECT_EQ(replay({client_, endpoint_, 0, for_ever, false, {}})->sent_again, 2U);
  const auto all = due(endpoint_);
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].tries, 0);
  EXPECT_NE(all[0].message, all[1].message);
}

TEST_F(SendingAgainTest, ATestGoesFirstAlsoToADisabledEndpoint) {
  owe();
  clock_.now += 1'000;
  const auto report = test(client_, endpoint_);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->kind, hub::EventKind::webhook_test);
  EXPECT_EQ(report->seq, 0);
  EXPECT_EQ(report->job, std::nullopt);
  EXPECT_EQ(report->due_at, clock_.now_ms());
  const auto& notice = home_.batches().back()->deliveries.at(0);
  EXPECT_EQ(notice.delivery, report->id);
  EXPECT_EQ(*notice.event->data, R"({"webhook_id":")" + to_text(endpoint_) + "\"}");
  const auto first = due(endpoint_).at(0);
  EXPECT_EQ(first.id, report->id);
  EXPECT_EQ(first.event->kind, hub::EventKind::webhook_test);
  EXPECT_EQ(first.event->at, clock_.now_ms());
  EXPECT_EQ(*first.event->data, *notice.event->data);

  ASSERT_TRUE(set_status(client_, endpoint_, EndpointStatus::disabled));
  ASSERT_EQ(due(endpoint_).size(), 1U);
  EXPECT_EQ(due(endpoint_)[0].id, report->id);
  ASSERT_EQ(reader_->backlog().size(), 1U);
  ASSERT_TRUE(test(client_, endpoint_));
  EXPECT_EQ(due(endpoint_).size(), 2U);
  await([&] { return pending() == 2; });
  hub::Reader::DeliveryPage page{.endpoint = endpoint_, .state = DeliveryState::pending, .before = {}};
  EXPECT_EQ(reader_->deliveries(page).deliveries.size(), 2U);
  record(attempt_at(endpoint_, report->id));
  EXPECT_EQ(due(endpoint_).size(), 1U);
}

TEST_F(SendingAgainTest, ATestThatFailsSaysNothingOfTheEndpoint) {
  const auto report = test(client_, endpoint_);
  auto attempt = attempt_at(endpoint_, report->id, DeliveryState::failed);
  attempt.disable_reason = "It answered 410.";
  record(attempt);
  const auto endpoint = reader_->find_endpoint(endpoint_);
  EXPECT_EQ(endpoint->failing_since, std::nullopt);
  EXPECT_EQ(endpoint->status, EndpointStatus::enabled);
  EXPECT_EQ(reader_->find_delivery_report(report->id)->state, DeliveryState::failed);
  EXPECT_EQ(replay({client_, endpoint_, 0, for_ever, true, {}})->sent_again, 0U) << "a test is no part of a replay";
}

TEST_F(SendingAgainTest, TestsUnderWayAreBounded) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(test(client_, endpoint_));
  EXPECT_EQ(test(client_, endpoint_).refusal(), Refusal::limit_reached);
  record(attempt_at(endpoint_, due(endpoint_)[0].id, DeliveryState::failed));
  EXPECT_TRUE(test(client_, endpoint_));
}

TEST_F(SendingAgainTest, AReplayBeginsWhereItsTimeBeginsAndEndsWhereThatEnds) {
  for (int i = 0; i < 1'500; ++i) record(attempt_at(endpoint_, owe(), DeliveryState::failed));
  clock_.now += 3'600'000;
  const hub::UnixMs since = clock_.now_ms();
  for (int i = 0; i < 3; ++i) record(attempt_at(endpoint_, owe(), DeliveryState::failed));
  clock_.now += 3'600'000;
  const hub::UnixMs until = clock_.now_ms();
  clock_.now += 3'600'000;
  for (int i = 0; i < 1'500; ++i) record(attempt_at(endpoint_, owe(), DeliveryState::failed));
  EXPECT_EQ(replay_all({client_, endpoint_, since, until, false, {}}), (std::pair<std::size_t, int>{3, 1}))
      << "without a look at what lies before and behind";
  EXPECT_EQ(replay_all({client_, endpoint_, 0, for_ever, false, {}}), (std::pair<std::size_t, int>{3'000, 4}));
}

TEST_F(SendingAgainTest, APageLooksAtNoMoreThanItMay) {
  std::vector<hub::DeliveryId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(owe());
  record(attempt_at(endpoint_, ids[0]));
  hub::Reader::DeliveryPage page{
      .endpoint = endpoint_, .state = DeliveryState::delivered, .before = {}, .limit = 10, .looked_at_max = 4};
  auto list = reader_->deliveries(page);
  EXPECT_TRUE(list.deliveries.empty());
  EXPECT_EQ(list.next, ids[2]) << "it goes on where it stopped looking";
  page.before = list.next;
  list = reader_->deliveries(page);
  ASSERT_EQ(list.deliveries.size(), 1U);
  EXPECT_EQ(list.deliveries[0].id, ids[0]);
  EXPECT_EQ(list.next, std::nullopt);
}

TEST_F(SendingAgainTest, DeliveriesAreShownPageByPageTheNewestFirst) {
  std::vector<hub::DeliveryId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(owe());
  record(attempt_at(endpoint_, ids[0]));
  record(attempt_at(endpoint_, ids[1], DeliveryState::failed));
  hub::Reader::DeliveryPage page{.endpoint = endpoint_, .state = {}, .before = {}, .limit = 2};
  const auto shown = [&] {
    std::vector<hub::DeliveryId> all;
    for (const auto& report : reader_->deliveries(page).deliveries) all.push_back(report.id);
    return all;
  };
  EXPECT_EQ(shown(), (std::vector{ids[4], ids[3]}));
  page.before = ids[3];
  EXPECT_EQ(shown(), (std::vector{ids[2], ids[1]}));
  page.before = ids[0];
  EXPECT_TRUE(shown().empty());
  page.before.reset();
  page.state = DeliveryState::pending;
  EXPECT_EQ(shown(), (std::vector{ids[4], ids[3]}));
  page.before = ids[3];
  EXPECT_EQ(shown(), std::vector{ids[2]});
  page.before.reset();
  page.state = DeliveryState::delivered;
  EXPECT_EQ(shown(), std::vector{ids[0]});
  page.state = DeliveryState::failed;
  EXPECT_EQ(shown(), std::vector{ids[1]});
}

}  // namespace
}  // namespace carillon::storage::sqlite
