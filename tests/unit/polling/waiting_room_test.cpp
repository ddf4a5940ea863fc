#include "channels/polling/waiting_room.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace carillon::channels::polling {
namespace {

using Entry = WaitingRoom::Entry;

TEST(WaitingRoom, HasSoManyPlacesInAllAndForAKey) {
  WaitingRoom room({3, 2});
  EXPECT_EQ(room.enter({1}), Entry::admitted);
  EXPECT_EQ(room.enter({1}), Entry::admitted);
  EXPECT_EQ(room.enter({1}), Entry::key_is_full);
  EXPECT_EQ(room.enter({2}), Entry::admitted);
  EXPECT_EQ(room.enter({3}), Entry::room_is_full);
  EXPECT_EQ(room.waiting(), 3U);
  room.leave({1});
  EXPECT_EQ(room.enter({3}), Entry::admitted);
  room.leave({3});
  EXPECT_EQ(room.enter({1}), Entry::admitted);
  EXPECT_EQ(room.waiting(), 3U);
}

TEST(WaitingRoom, ManyThreadsFindNoMorePlacesThanThereAre) {
  WaitingRoom room({8, 5});
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20'000; ++i) {
        const hub::KeyId key{1 + (t + i) % 2};
        if (room.enter(key) != Entry::admitted) continue;
        if (room.waiting() > 8 + 4) most = 1;  // each of the others may be counted for the moment it is refused
        room.leave(key);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 0);
  EXPECT_EQ(room.waiting(), 0U);
}

}  // namespace
}  // namespace carillon::channels::polling
