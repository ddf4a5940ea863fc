#include "app/access_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace carillon::app {
namespace {

class FixedClock final : public hub::Clock {
 public:
  hub::UnixMs now_ms() const override { return 1'795'455'725'123; }
};

std::string line_of(LogFormat format, const net::http::Exchange& exchange) {
  const FixedClock clock;
  std::FILE* const file = std::tmpfile();
  AccessLog(format, clock, fileno(file)).on_exchange(exchange);
  std::rewind(file);
  std::array<char, 1024> line{};
  EXPECT_NE(std::fgets(line.data(), line.size(), file), nullptr);
  std::fclose(file);
  return line.data();
}

TEST(AccessLog, WritesOneLineWithAllItsMembers) {
  net::http::Exchange exchange;
  exchange.method = "GET";
  exchange.path = "/api/v1/jobs/1";
  exchange.status = 200;
  exchange.body_bytes = 312;
  exchange.duration_us = 41;
  exchange.caller = "key_1";
  exchange.peer = "127.0.0.1";
  exchange.request_id = "a\"b";
  exchange.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  EXPECT_EQ(line_of(LogFormat::text, exchange),
            "2026-11-23T17:42:05.123Z info request method=GET path=/api/v1/jobs/1 status=200 bytes=312 us=41 key=key_1 "
            "peer=127.0.0.1 id=\"a\\\"b\" trace_id=4bf92f3577b34da6a3ce929d0e0e4736\n");
  EXPECT_EQ(
      line_of(LogFormat::json, {}),
      R"({"time":"2026-11-23T17:42:05.123Z","level":"info","message":"request","method":"-","path":"-","status":0,)"
      R"("bytes":0,"us":0,"key":"-","peer":"-","id":"-","trace_id":"-"})"
      "\n");
}

TEST(AccessLog, IsWrittenWhereItIsWanted) {
  Settings::Log settings;
  EXPECT_FALSE(logs_access(settings));
  settings.access = true;
  EXPECT_TRUE(logs_access(settings));
  settings.level = LogLevel::warning;
  EXPECT_FALSE(logs_access(settings)) << "its lines would not be written";
}

}  // namespace
}  // namespace carillon::app
