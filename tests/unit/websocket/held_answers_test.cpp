#include "channels/websocket/held_answers.h"

#include <gtest/gtest.h>

#include <vector>

namespace carillon::channels::websocket {
namespace {

class HeldAnswersTest : public testing::Test {
 protected:
  /// Time goes on, and what is due happens.
  void advance_to(net::MonotonicMs now_ms) { loop_.timers().advance(now_ms); }
  std::function<void()> say(int number) {
    return [this, number] { said_.push_back(number); };
  }

  Admission admission_{{.held_max = 3}};
  net::EventLoop loop_{[] { return net::MonotonicMs{0}; }};
  std::vector<int> said_;
};

TEST_F(HeldAnswersTest, AreGivenInTheirTimeAndMakeRoom) {
  HeldAnswers held(loop_, admission_);
  EXPECT_TRUE(held.hold(500, say(1)));
  EXPECT_TRUE(held.hold(250, say(2)));
  EXPECT_TRUE(held.hold(1'000, say(3)));
  EXPECT_FALSE(held.hold(1, say(4))) << "as many as may be are held";
  advance_to(249);
  EXPECT_TRUE(said_.empty());
  advance_to(600);
  EXPECT_EQ(said_, (std::vector{2, 1}));
  EXPECT_TRUE(held.hold(1, say(5)));
  advance_to(2'000);
  EXPECT_EQ(said_.size(), 4U);
}

TEST_F(HeldAnswersTest, CanAllBeGivenNow) {
  HeldAnswers held(loop_, admission_);
  held.hold(500, say(1));
  held.hold(250, say(2));
  held.give_all();
  EXPECT_EQ(said_.size(), 2U);
  advance_to(2'000);
  EXPECT_EQ(said_.size(), 2U) << "each once";
}

TEST_F(HeldAnswersTest, LetGoOfTheirRoomWhenTheyAreNeverGiven) {
  {
    HeldAnswers held(loop_, admission_);
    for (int i = 0; i < 3; ++i) held.hold(500, say(i));
  }
  HeldAnswers held(loop_, admission_);
  EXPECT_TRUE(held.hold(500, say(9)));
  EXPECT_TRUE(said_.empty());
}

}  // namespace
}  // namespace carillon::channels::websocket
