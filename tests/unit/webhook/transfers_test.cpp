#include "channels/webhook/transfers.h"

#include <gmock/gmock.h>

#include <atomic>
#include <utility>

#include "tests/unit/webhook/receiver.h"

namespace carillon::channels::webhook {
namespace {

class TransfersTest : public ::testing::Test {
 protected:
  /// Sends one request after the other, and returns what came of each.
  std::vector<TransferResult> send(const std::string& url, int count = 1) {
    std::vector<TransferResult> results;
    net::EventLoop loop;
    Transfers transfers(loop, options_);
    const hub::Text body = hub::make_text("{}");
    std::function<void()> next = [&] {
      transfers.start(url, {"webhook-id: msg_1"}, body, [&](TransferResult result) {
        results.push_back(std::move(result));
        std::cmp_less(results.size(), count) ? next() : loop.stop();
      });
    };
    loop.post(next);
    loop.run();
    return results;
  }

  TransferOptions options_{.guard = AddressGuard({"127.0.0.0/8"})};
};

TEST_F(TransfersTest, OneConnectionServesMany) {
  Receiver receiver([](const Received&) { return Answer(200, {}, "thanks"); });
  for (const auto& result : send(receiver.url(), 5)) {
    EXPECT_EQ(result.http_status, 200);
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.response, "thanks");
  }
  for (const auto& one : receiver.await(5)) {
    EXPECT_EQ(one.connection, 0U);
    EXPECT_EQ(one.body, "{}");
    EXPECT_EQ(one.fields.at("webhook-id"), "msg_1");
    EXPECT_FALSE(one.fields.contains("accept-encoding"));
    EXPECT_FALSE(one.fields.contains("expect"));
  }
}

TEST_F(TransfersTest, AConnectionThatWasKeptIsNotUsedToWhereNothingMayGoAnyMore) {
  Receiver receiver;
  net::EventLoop loop;
  Transfers transfers(loop, options_);
  const hub::Text body = hub::make_text("{}");
  std::vector<TransferResult> results;
  const std::function<void()> next = [&] {
    transfers.start(receiver.url(), {"webhook-id: msg_1"}, body, [&](TransferResult result) {
      results.push_back(std::move(result));
      if (results.size() == 3) return loop.stop();
      TransferOptions others = options_;
      if (results.size() == 1) others.guard = AddressGuard({});
      transfers.set_options(others);
      next();
    });
  };
  loop.post(next);
  loop.run();
  EXPECT_EQ(results.at(0).failure, TransferFailure::none);
  EXPECT_EQ(results.at(1).failure, TransferFailure::refused_address);
  EXPECT_EQ(results.at(1).error, "the address 127.0.0.1 is not allowed (webhooks.allow_cidrs)");
  EXPECT_EQ(results.at(2).failure, TransferFailure::none) << "and where it may go again, it does";
  EXPECT_EQ(receiver.await(2).size(), 2U);
}

TEST_F(TransfersTest, OfALongAnswerTheBeginningIsKept) {
  Receiver receiver([](const Received&) { return Answer(200, {}, std::string(60'000, 'x')); });
  const auto result = send(receiver.url()).at(0);
  EXPECT_EQ(result.http_status, 200);
  EXPECT_EQ(result.response, std::string(response_bytes_kept_max, 'x'));
}

TEST_F(TransfersTest, AnEndlessAnswerIsLeftAndItsStatusCounts) {
  Receiver receiver([](const Received&) { return Answer(201, {}, std::string(16'000'000, 'x')); });
  const auto result = send(receiver.url()).at(0);
  EXPECT_EQ(result.http_status, 201);
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.response.size(), response_bytes_kept_max);
}

TEST_F(TransfersTest, RetryAfterIsReadAndHoldsForItsOwnAnswerAlone) {
  std::atomic<int> requests{0};
  Receiver receiver([&](const Received&) { return requests++ == 0 ? Answer(503, {"Retry-After: 7"}) : Answer(503); });
  const auto results = send(receiver.url(), 2);
  EXPECT_EQ(results.at(0).retry_after_s, 7);
  EXPECT_EQ(results.at(1).retry_after_s, 0);
}

TEST_F(TransfersTest, RetryAfterMayBeADate) {
  Receiver receiver([](const Received&) { return Answer(503, {"Retry-After: Fri, 31 Dec 2100 23:59:59 GMT"}); });
  EXPECT_GT(send(receiver.url()).at(0).retry_after_s, 3'600);
}

TEST_F(TransfersTest, ARedirectIsAnAnswerLikeAnother) {
  Receiver elsewhere;
  Receiver receiver([&](const Received&) { return Answer(307, {"Location: " + elsewhere.url()}); });
  EXPECT_EQ(send(receiver.url()).at(0).http_status, 307);
  EXPECT_TRUE(elsewhere.await(0).empty());
}

TEST_F(TransfersTest, NoAnswerInTimeIsAFailureThatSaysSo) {
  std::atomic<bool> release{false};
  Receiver receiver([&](const Received&) {
    release.wait(false);
    return 200;
  });
  options_.timeout_ms = 50;
  const auto result = send(receiver.url()).at(0);
  release = true;
  release.notify_all();
  EXPECT_EQ(result.http_status, 0);
  EXPECT_THAT(result.error, testing::HasSubstr("timed out"));
  EXPECT_GE(result.duration_ms, 50);
}

TEST_F(TransfersTest, ARefusedAddressIsNamed) {
  options_.guard = AddressGuard({});
  Receiver receiver;
  const std::string by_name = "http://localhost" + receiver.url().substr(receiver.url().rfind(':'));
  for (const std::string& url : {receiver.url(), by_name}) {
    EXPECT_THAT(send(url).at(0).error,
                testing::MatchesRegex("the address (127.0.0.1|::1) is not allowed \\(webhooks.allow_cidrs\\)"));
  }
  EXPECT_TRUE(receiver.await(0).empty());
}

TEST_F(TransfersTest, AnAnswerThatIsNoHttpIsAFailure) {
  Receiver receiver([](const Received&) { return Answer(99'999); });
  const auto result = send(receiver.url()).at(0);
  EXPECT_EQ(result.http_status, 0);
  EXPECT_NE(result.error, "");
}

}  // namespace
}  // namespace carillon::channels::webhook
