#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

namespace carillon::net {
namespace {

struct OnIo final : IoHandler {
  std::function<void(std::uint32_t)> then;
  void on_io(std::uint32_t events) override { then(events); }
};

struct OnTurnEnd final : TurnEnd {
  std::function<void()> then;
  void on_turn_end() override { then(); }
};

TEST(EventLoop, RunsWhatIsPostedFromManyThreadsInTheOrderOfEach) {
  EventLoop loop;
  constexpr int threads = 4;
  constexpr int tasks = 10'000;
  std::array<int, threads> next{};
  int left = threads * tasks;
  std::vector<std::thread> posters;
  for (int t = 0; t < threads; ++t) {
    posters.emplace_back([&, t] {
      for (int i = 0; i < tasks; ++i) {
        loop.post([&, t, i] {
          EXPECT_EQ(next[static_cast<std::size_t>(t)]++, i);
          if (--left == 0) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (auto& poster : posters) poster.join();
  EXPECT_EQ(left, 0);
}

TEST(EventLoop, AHandlerThatIsUnwatchedIsNotCalledForWhatTheTurnHasBrought) {
  EventLoop loop;
  std::array<std::array<int, 2>, 2> pairs{};
  for (auto& pair : pairs) {
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
    ASSERT_EQ(write(pair[1], "x", 1), 1);
  }
  std::array<OnIo, 2> handlers;
  int calls = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    handlers[i].then = [&, i](std::uint32_t) {
      ++calls;
      loop.unwatch(pairs[1 - i][0], handlers[1 - i]);
      loop.stop();
    };
    loop.watch(pairs[i][0], EPOLLIN, handlers[i]);
  }
  loop.run();
  EXPECT_EQ(calls, 1);
  for (auto& pair : pairs) {
    close(pair[0]);
    close(pair[1]);
  }
}

TEST(EventLoop, TurnEndsComeAfterEverythingElseOfTheTurn) {
  EventLoop loop;
  std::vector<int> order;
  OnTurnEnd end;
  end.then = [&] {
    order.push_back(3);
    loop.stop();
  };
  loop.post([&] {
    loop.at_turn_end(end);
    order.push_back(1);
  });
  loop.post([&] { order.push_back(2); });
  loop.run();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(EventLoop, WhatItPostsToItselfIsRunWithoutAWakeUp) {
  EventLoop loop;
  int count = 0;
  std::function<void()> again = [&] {
    if (++count == 1000) return loop.stop();
    loop.post(again);
  };
  loop.post(again);
  loop.run();
  EXPECT_EQ(count, 1000);
}

}  // namespace
}  // namespace carillon::net
