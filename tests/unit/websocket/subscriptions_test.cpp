#include "channels/websocket/subscriptions.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

namespace carillon::channels::websocket {
namespace {

/// The index never looks into a session, only at its address.
Session& fake_session(std::vector<char>& room, std::size_t number) { return reinterpret_cast<Session&>(room[number]); }

hub::JobId job(unsigned number) {
  hub::JobId id;
  id.bytes[0] = static_cast<std::uint8_t>(number);
  return id;
}

// Whatever is added, found and removed in whatever order: the index and a plain map of sets agree.
TEST(Subscriptions, AgreeWithAPlainModel) {
  constexpr std::size_t sessions = 20;
  constexpr unsigned jobs = 30;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    std::mt19937 random(seed);
    std::vector<char> room(sessions);
    std::vector<SubscriptionList> lists(sessions);
    JobSubscriptions index;
    std::map<unsigned, std::set<std::size_t>> model;
    for (int step = 0; step < 5000; ++step) {
      const std::size_t s = random() % sessions;
      const auto j = static_cast<unsigned>(random() % jobs);
      Session& session = fake_session(room, s);
      Subscription* found = index.find(lists[s], session, job(j));
      ASSERT_EQ(found != nullptr, model[j].count(s) == 1) << "seed " << seed;
      if (random() % 200 == 0) {
        index.remove_all(lists[s]);
        for (auto& [number, set] : model) set.erase(s);
      } else if (found == nullptr) {
        index.add(lists[s], session, job(j), step);
        model[j].insert(s);
      } else {
        EXPECT_EQ(found->session, &session);
        index.remove(lists[s], *found);
        model[j].erase(s);
      }
      std::set<const Session*> heard;
      index.for_each(job(j), [&](const Subscription& subscription) { heard.insert(subscription.session); });
      ASSERT_EQ(heard.size(), model[j].size()) << "seed " << seed;
      for (const std::size_t expected : model[j]) EXPECT_TRUE(heard.count(&fake_session(room, expected)));
    }
    for (auto& list : lists) index.remove_all(list);
    EXPECT_TRUE(index.empty());
  }
}

TEST(Subscriptions, AreCountedForTheKeyWhereverTheyAre) {
  std::vector<char> room(2);
  std::atomic<std::size_t> of_key{0};
  SubscriptionList one{.of_key = &of_key};
  SubscriptionList two{.of_key = &of_key};
  JobSubscriptions index;
  index.add(one, fake_session(room, 0), job(1), 0);
  Subscription& last = index.add(one, fake_session(room, 0), job(2), 0);
  index.add(two, fake_session(room, 1), job(1), 0);
  EXPECT_EQ(of_key, 3U);
  index.remove(one, last);
  EXPECT_EQ(of_key, 2U);
  index.remove_all(one);
  index.remove_all(two);
  EXPECT_EQ(of_key, 0U);
}

}  // namespace
}  // namespace carillon::channels::websocket
