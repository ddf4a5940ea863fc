#include "app/watchdog.h"

#include <gmock/gmock.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

namespace carillon::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WatchdogTest : public testing::Test {
 protected:
  WatchdogTest() {
    watchdog_.watch("loop-0", loop_);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~WatchdogTest() override {
    loop_.stop();
    thread_.join();
  }

  /// Waits until the loop has run all that was posted.
  void settle() {
    std::promise<void> done;
    loop_.post([&] { done.set_value(); });
    done.get_future().wait();
  }

  std::vector<std::string> stuck() const {
    std::vector<std::string> parts;
    for (const auto& part : watchdog_.stuck()) parts.push_back(part.part);
    return parts;
  }

  net::MonotonicMs now_ms_ = 1'000'000;
  hub::StoreTallies store_;
  Watchdog watchdog_{store_, {.loop_ms = 5'000, .commit_ms = 10'000}, [this] { return now_ms_; }};
  net::EventLoop loop_;
  std::thread thread_;
};

TEST_F(WatchdogTest, WhatAnswersTurns) {
  EXPECT_THAT(stuck(), IsEmpty()) << "before anyone was asked";
  watchdog_.ask();
  settle();
  now_ms_ += 60'000;
  EXPECT_THAT(stuck(), IsEmpty()) << "an answer does not grow old: who asks again is answered again";
  EXPECT_TRUE(watchdog_.turns(loop_));
  EXPECT_EQ(watchdog_.lags().front().part, "loop-0");
}

TEST_F(WatchdogTest, ALoopThatDoesNotAnswerIsStuckUntilItDoes) {
  std::promise<void> release;
  loop_.post([&] { release.get_future().wait(); });
  watchdog_.ask();
  now_ms_ += 4'999;
  EXPECT_THAT(stuck(), IsEmpty());
  now_ms_ += 1;
  watchdog_.ask();  // is not asked twice
  EXPECT_THAT(stuck(), ElementsAre("loop-0"));
  EXPECT_EQ(watchdog_.stuck().front().for_ms, 5'000);
  EXPECT_FALSE(watchdog_.turns(loop_));
  release.set_value();
  settle();
  EXPECT_THAT(stuck(), IsEmpty());
  EXPECT_TRUE(watchdog_.turns(loop_));
}

TEST_F(WatchdogTest, ACommitThatTakesTooLongIsStuckUntilItEnds) {
  store_.commit_begun_ms.set(static_cast<std::uint64_t>(now_ms_));
  now_ms_ += 9'999;
  EXPECT_THAT(stuck(), IsEmpty());
  now_ms_ += 1;
  EXPECT_THAT(stuck(), ElementsAre("store"));
  store_.commit_begun_ms.set(0);
  EXPECT_THAT(stuck(), IsEmpty());
}

TEST_F(WatchdogTest, WhatIsNotToBeWatchedIsNeverStuck) {
  Watchdog blind(store_, {.loop_ms = 0, .commit_ms = 0}, [this] { return now_ms_; });
  store_.commit_begun_ms.set(static_cast<std::uint64_t>(now_ms_));
  now_ms_ += 3'600'000;
  EXPECT_THAT(blind.stuck(), IsEmpty());
}

TEST_F(WatchdogTest, ItAsksByItselfUntilItIsStopped) {
  watchdog_.start();
  const auto answers = [this] {
    std::uint64_t count = 0;
    const hub::Distribution& seconds = watchdog_.lags().front().seconds;
    for (std::size_t i = 0; i <= seconds.bounds().size(); ++i) count += seconds.count(i);
    return count;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (answers() < 2 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_GE(answers(), 2U);
  watchdog_.stop();
  watchdog_.stop();
}

}  // namespace
}  // namespace carillon::app
