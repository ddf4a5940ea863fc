#include "app/log.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <vector>

namespace carillon::app {
namespace {

class FixedClock final : public hub::Clock {
 public:
  hub::UnixMs now_ms() const override { return 1'795'455'725'123; }
};

/// What is written to it, line by line.
class Pipe {
 public:
  Pipe() {
    if (pipe(ends_.data()) != 0) throw std::runtime_error("no pipe");
  }
  ~Pipe() {
    close_writing();
    close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int writing() const { return ends_[1]; }
  std::string text() {
    close_writing();
    std::string all;
    std::array<char, 4096> part{};
    for (ssize_t n = 0; (n = read(ends_[0], part.data(), part.size())) > 0;) {
      all.append(part.data(), static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  void close_writing() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  std::array<int, 2> ends_{};
};

constexpr const char* secret = "sk_live_0123456789abcdefABCDEF0123456789abcdefgh";

class LogTest : public testing::Test {
 protected:
  FixedClock clock_;
  Pipe pipe_;
};

TEST_F(LogTest, TextIsTimeLevelMessageAndFields) {
  Log(LogFormat::text, LogLevel::info, clock_, pipe_.writing())
      .info("serving", {{"address", "127.0.0.1:8080"}, {"loops", 2}, {"note", "two words"}, {"none", ""}});
  EXPECT_EQ(pipe_.text(),
            "2026-11-23T17:42:05.123Z info serving address=127.0.0.1:8080 loops=2 note=\"two words\" none=\"\"\n");
}

TEST_F(LogTest, JsonIsOneObjectALine) {
  Log(LogFormat::json, LogLevel::info, clock_, pipe_.writing())
      .warning("said \"no\"\nand left", {{"count", 3U}, {"final", true}, {"path", "C:\\x\x01"}});
  EXPECT_EQ(pipe_.text(),
            "{\"time\":\"2026-11-23T17:42:05.123Z\",\"level\":\"warning\",\"message\":\"said \\\"no\\\"\\nand left\","
            "\"count\":3,\"final\":true,\"path\":\"C:\\\\x\\u0001\"}\n");
}

TEST_F(LogTest, NoInputMakesASecondLine) {
  Log(LogFormat::text, LogLevel::info, clock_, pipe_.writing()).info("a\nb", {{"c", "d\r\ne"}});
  EXPECT_EQ(pipe_.text(), "2026-11-23T17:42:05.123Z info a\\nb c=\"d\\u000d\\ne\"\n");
}

TEST_F(LogTest, WhatIsLessGraveThanTheLevelIsNotWritten) {
  const Log log(LogFormat::text, LogLevel::warning, clock_, pipe_.writing());
  log.debug("a");
  log.info("b");
  log.warning("c");
  log.error("d");
  EXPECT_TRUE(log.writes(LogLevel::error));
  EXPECT_FALSE(log.writes(LogLevel::info));
  EXPECT_EQ(pipe_.text(), "2026-11-23T17:42:05.123Z warning c\n2026-11-23T17:42:05.123Z error d\n");
}

TEST_F(LogTest, NoKeyReachesALog) {
  const std::string target = std::string{"/api/v1/ws/jobs?api_key="} + secret + "&resume=1";
  const std::string protocol = std::string{"carillon.v1, "} + secret;
  for (const LogFormat format : {LogFormat::text, LogFormat::json}) {
    Log(format, LogLevel::info, clock_, pipe_.writing())
        .info(std::string{"refused "} + secret, {{"target", target}, {"protocol", protocol}});
  }
  const std::string written = pipe_.text();
  EXPECT_THAT(written, testing::Not(testing::HasSubstr("0123456789")));
  EXPECT_THAT(written, testing::HasSubstr("/api/v1/ws/jobs?api_key=***&resume=1"));
}

TEST_F(LogTest, LinesOfSeveralThreadsDoNotMix) {
  const Log log(LogFormat::text, LogLevel::info, clock_, pipe_.writing());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&log] {
        for (int n = 0; n < 100; ++n) log.info("tick");
      });
    }
  }
  std::string expected;
  for (int n = 0; n < 400; ++n) expected += "2026-11-23T17:42:05.123Z info tick\n";
  EXPECT_EQ(pipe_.text(), expected);
}

TEST(MaskSecrets, TakesOutKeysAndSecretsWhereverTheyStand) {
  EXPECT_EQ(mask_secrets(secret), "sk_live_***");
  EXPECT_EQ(mask_secrets(std::string{"key '"} + secret + "' and " + secret), "key 'sk_live_***' and sk_live_***");
  EXPECT_EQ(mask_secrets("GET /x?api_key=anything%20else&b=1 HTTP/1.1"), "GET /x?api_key=***&b=1 HTTP/1.1");
  EXPECT_EQ(mask_secrets(R"({"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=="})"), R"({"secret":"whsec_***"})");
  EXPECT_EQ(mask_secrets("signing with whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "signing with whsk_***");
  EXPECT_EQ(mask_secrets("api_key="), "api_key=***");
  EXPECT_EQ(mask_secrets("nothing here"), "nothing here");
  EXPECT_EQ(mask_secrets(""), "");
}

}  // namespace
}  // namespace carillon::app
