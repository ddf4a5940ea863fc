#include "channels/notification_log.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

namespace carillon::channels {
namespace {

using hub::JobId;
using hub::KeyId;
using hub::Seq;
using hub::Sight;

constexpr hub::JobOwner owner{{7}, {8}};
constexpr hub::JobOwner other{{9}, {8}};
constexpr Sight of_key{Sight::Of::key, owner.account, owner.key};

JobId job(std::uint8_t number) {
  JobId id;
  id.bytes.back() = number;
  return id;
}

Drop drop_of(KeyId key, std::string_view reason = "slow_by_age") { return {1'000, key, "websocket", reason, 1008}; }

hub::CommitBatch batch_to(Seq last) {
  hub::CommitBatch batch;
  batch.last = last;
  return batch;
}

NotificationLog::Question about(const JobId& id, std::vector<Seq> events) {
  return {id, owner, std::move(events), std::numeric_limits<Seq>::max()};
}

/// Nobody listens to single jobs.
const auto no_job = [](auto&&) {};

TEST(SentCounts, NobodyIsAnotherAnswerThanNotKnown) {
  SentCounts counts(4, 100);
  EXPECT_EQ(counts.find(100), std::nullopt) << "before it began";
  EXPECT_EQ(counts.find(101), std::nullopt) << "did not happen yet";
  counts.open(102);
  EXPECT_EQ(counts.find(101), Sent{});
  counts.add(102, &Sent::websocket, 3);
  counts.add(102, &Sent::polls, 1);
  counts.add(100, &Sent::polls, 1);  // passed over
  EXPECT_EQ(counts.find(102), (Sent{3, 0, 0, 1}));
}

TEST(SentCounts, RememberTheLastAndNothingOfThoseThatHadTheirPlaces) {
  SentCounts counts(3, 10);  // four: the next power of two
  for (Seq seq = 11; seq <= 40; ++seq) {
    counts.add(seq, &Sent::websocket, static_cast<std::size_t>(seq));
    for (Seq old = 1; old <= seq; ++old) {
      const bool known = old > 10 && old > seq - 4;
      EXPECT_EQ(counts.find(old).has_value(), known) << old << " at " << seq;
      EXPECT_EQ(counts.find(old).value_or(Sent{}).websocket, known ? static_cast<std::uint32_t>(old) : 0);
    }
  }
  counts.add(36, &Sent::polls, 1);  // would be another's place
  EXPECT_EQ(counts.find(40), (Sent{40, 0, 0, 0}));
  counts.open(1'000);
  EXPECT_EQ(counts.find(1'000), Sent{});
  EXPECT_EQ(counts.forgotten(), 996);
}

TEST(SentCounts, WhatIsToldAheadOfItsBatchIsKept) {
  SentCounts counts(8, 0);
  counts.add(3, &Sent::websocket, 1);
  counts.open(4);
  EXPECT_EQ(counts.find(2), Sent{});
  EXPECT_EQ(counts.find(3), (Sent{1, 0, 0, 0}));
}

TEST(LastPolls, KeepTheLatestOfEachJob) {
  LastPolls polls(64, 500);
  EXPECT_FALSE(polls.find(job(1)));
  EXPECT_EQ(polls.forgotten(job(1)), 500);
  polls.note(job(1), {600, 41, {7}});
  polls.note(job(1), {700, 42, {9}});
  ASSERT_TRUE(polls.find(job(1)));
  EXPECT_EQ(polls.find(job(1))->at, 700);
  EXPECT_EQ(polls.find(job(1))->seq, 42);
  EXPECT_EQ(polls.find(job(1))->by, KeyId{9});
  EXPECT_FALSE(polls.find(job(2)));
  EXPECT_FALSE(polls.find(JobId{})) << "an empty place is no job";
}

TEST(LastPolls, WhoWasAskedForLongestAgoMakesRoomAndIsKnownToHaveDoneSo) {
  LastPolls polls(4, 500);  // one set
  for (std::uint8_t i = 1; i <= 4; ++i) polls.note(job(i), {600 + i, i, {}});
  polls.note(job(1), {610, 1, {}});
  EXPECT_EQ(polls.forgotten(job(9)), 500);
  polls.note(job(5), {620, 5, {}});
  for (std::uint8_t i = 1; i <= 5; ++i) EXPECT_EQ(polls.find(job(i)).has_value(), i != 2) << int{i};
  EXPECT_EQ(polls.forgotten(job(2)), 602);
}

TEST(NotificationLog, TellsOfTheEventsThatAreAskedFor) {
  NotificationLog log({8, 4, 8}, 40, 500);
  log.on_commit(batch_to(43));
  log.sent(41, &Sent::websocket, 2);
  log.polled(job(1), {900, 43, {7}}, true);
  log.polled(job(1), {901, 43, {7}}, false);
  const auto memory = log.recall(about(job(1), {40, 41, 42, 43}));
  ASSERT_EQ(memory.sent.size(), 4U);
  EXPECT_EQ(memory.sent[0], std::nullopt);
  EXPECT_EQ(memory.sent[1], (Sent{2, 0, 0, 0}));
  EXPECT_EQ(memory.sent[2], Sent{});
  EXPECT_EQ(memory.sent[3], (Sent{0, 0, 0, 1})) << "what is only said to be unchanged is not told";
  EXPECT_EQ(memory.last_poll->at, 901);
  EXPECT_EQ(memory.since, 500);
  EXPECT_EQ(memory.events_after, 40);
  EXPECT_EQ(memory.drops_after, 40);
  EXPECT_EQ(memory.polls_after, 500);
}

TEST(NotificationLog, NamesThoseWhoListenedToTheJobAndWereDropped) {
  NotificationLog log({8, 16, 8}, 40, 500);
  log.on_commit(batch_to(41));
  log.dropped(drop_of({1}), {}, [](auto&& visit) { visit(job(1)), visit(job(2)); });
  log.dropped(drop_of({2}), {}, [](auto&& visit) { visit(job(2)); });
  log.on_commit(batch_to(44));
  log.dropped(drop_of({3}, "lost"), of_key, no_job);
  log.dropped(drop_of({4}), Sight{Sight::Of::key, other.account, other.key}, no_job);
  log.dropped(drop_of({5}), of_key, [](auto&& visit) { visit(job(1)); });  // twice over, and one connection

  const auto keys_at = [&](NotificationLog::Question question) {
    std::vector<std::pair<Seq, std::int64_t>> found;
    for (const auto& [seq, drop] : log.recall(question).drops) found.emplace_back(seq, drop.key.value);
    return found;
  };
  using Found = std::vector<std::pair<Seq, std::int64_t>>;
  EXPECT_EQ(keys_at(about(job(1), {41, 43})), (Found{{41, 1}, {44, 3}, {44, 5}}));
  EXPECT_EQ(keys_at(about(job(2), {41, 43})), (Found{{41, 1}, {41, 2}, {44, 3}, {44, 5}}));
  EXPECT_EQ(keys_at(about(job(1), {42})), (Found{{44, 3}, {44, 5}})) << "what was before belongs to events before";
  auto earlier = about(job(1), {41});
  earlier.until = 43;
  EXPECT_EQ(keys_at(earlier), (Found{{41, 1}}));
  EXPECT_TRUE(keys_at(about(job(1), {})).empty());
}

TEST(NotificationLog, ForgetsTheOldestDropsAndSaysSo) {
  NotificationLog log({1'024, 3, 8}, 0, 500);
  for (Seq seq = 1; seq <= 5; ++seq) {
    log.on_commit(batch_to(seq));
    log.dropped(drop_of({seq}), {}, [](auto&& visit) { visit(job(1)); });
  }
  const auto memory = log.recall(about(job(1), {1, 2, 3, 4, 5}));
  ASSERT_EQ(memory.drops.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(memory.drops[i].seq, static_cast<Seq>(i + 3));
  EXPECT_EQ(memory.drops_after, 2);
}

TEST(NotificationLog, OneConnectionTakesSomeOfTheMemoryAndNotAllOfIt) {
  NotificationLog log({8, 4'096, 8}, 0, 500);
  log.dropped(drop_of({1}), {}, [](auto&& visit) { visit(job(1)); });
  log.dropped(drop_of({2}), {}, [](auto&& visit) {
    for (int i = 0; i < 10'000; ++i) visit(job(2));
  });
  EXPECT_EQ(log.recall(about(job(1), {0})).drops.size(), 1U);
  EXPECT_EQ(log.recall(about(job(2), {0})).drops.size(), 1U);
}

TEST(NotificationLog, WhatOneLoopDoesNotKnowNobodyKnows) {
  NotificationLog one({8, 4, 8}, 40, 500);
  NotificationLog two({8, 4, 8}, 40, 501);
  one.on_commit(batch_to(42));
  two.on_commit(batch_to(41));
  one.sent(41, &Sent::websocket, 2);
  two.sent(41, &Sent::websocket, 3);
  two.sent(41, &Sent::streams, 1);
  one.polled(job(1), {700, 41, {1}}, false);
  two.polled(job(1), {900, 41, {2}}, false);
  two.dropped(drop_of({2}), {}, [](auto&& visit) { visit(job(1)); });
  one.dropped(drop_of({1}), {}, [](auto&& visit) { visit(job(1)); });
  auto memory = one.recall(about(job(1), {41, 42}));
  memory.add(two.recall(about(job(1), {41, 42})));
  EXPECT_EQ(memory.sent[0], (Sent{5, 0, 1, 0}));
  EXPECT_EQ(memory.sent[1], std::nullopt) << "the other has not passed it on yet";
  EXPECT_EQ(memory.last_poll->by, KeyId{2});
  ASSERT_EQ(memory.drops.size(), 2U);
  EXPECT_EQ(memory.drops[0].seq, 41) << "in the order in which it happened";
  EXPECT_EQ(memory.drops[1].seq, 42);
  EXPECT_EQ(memory.since, 501);
}

}  // namespace
}  // namespace carillon::channels
