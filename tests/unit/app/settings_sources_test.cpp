#include "app/settings_sources.h"

#include <gmock/gmock.h>

#include "tests/unit/app/settings_fixture.h"

namespace carillon::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SettingsSources, DefaultsWithoutAnySource) {
  const Settings settings = gather({});
  EXPECT_EQ(settings.listen, "127.0.0.1:8080");
  EXPECT_EQ(settings.websocket.heartbeat_s, 30);
  EXPECT_FALSE(settings.webhooks.allow_http);
}

TEST(SettingsSources, FileGoesBeforeDefault) {
  EXPECT_EQ(gather({.file = "listen = \"[::1]:9000\"\n"}).listen, "[::1]:9000");
}

TEST(SettingsSources, EnvironmentGoesBeforeFile) {
  EXPECT_EQ(gather({.file = "[websocket]\nheartbeat_s = 10\n", .variables = {{"CARILLON_WEBSOCKET_HEARTBEAT_S", "11"}}})
                .websocket.heartbeat_s,
            11);
}

TEST(SettingsSources, FlagGoesBeforeEnvironmentAndFile) {
  EXPECT_EQ(gather({.file = "[websocket]\nheartbeat_s = 10\n",
                    .variables = {{"CARILLON_WEBSOCKET_HEARTBEAT_S", "11"}},
                    .flags = {"--websocket-heartbeat-s", "12"}})
                .websocket.heartbeat_s,
            12);
}

TEST(SettingsSources, EachSourceSetsWhatTheOthersLeave) {
  const Settings settings = gather({.file = "data = \"/srv/bells\"\n[log]\nformat = \"json\"\n",
                                    .variables = {{"CARILLON_OWNERSHIP", "account"}},
                                    .flags = {"--loops=3"}});
  EXPECT_EQ(settings.data, "/srv/bells");
  EXPECT_EQ(settings.log.format, LogFormat::json);
  EXPECT_EQ(settings.ownership, hub::OwnershipScope::account);
  EXPECT_EQ(settings.loops, 3U);
}

TEST(SettingsSources, ConfigFileNamedByTheEnvironment) {
  const TemporaryDirectory directory;
  const std::string file = directory.path() / "hub.toml";
  std::ofstream(file) << "loops = 2\n";
  EXPECT_EQ(gather({.variables = {{"CARILLON_CONFIG", file}}}).loops, 2U);
}

TEST(SettingsSources, ListsAreArraysInTheFileAndCommaSeparatedElsewhere) {
  const char* file =
      "[webhooks]\n"
      "allow_cidrs = [ \"10.0.0.0/8\" ,  # the office\n"
      "  'fd00::/8',\n"
      "]\n";
  EXPECT_THAT(gather({.file = file}).webhooks.allow_cidrs, ElementsAre("10.0.0.0/8", "fd00::/8"));
  EXPECT_THAT(gather({.variables = {{"CARILLON_WEBHOOKS_RETRY_DELAYS_S", "0, 1,2"}}}).webhooks.retry_delays_s,
              ElementsAre(0, 1, 2));
  EXPECT_THAT(gather({.flags = {"--webhooks-retry-delays-s", "7"}}).webhooks.retry_delays_s, ElementsAre(7));
  EXPECT_THAT(gather({.file = file, .flags = {"--webhooks-allow-cidrs="}}).webhooks.allow_cidrs, IsEmpty());
  EXPECT_THAT(gather({.file = "[webhooks]\nallow_cidrs = []\n"}).webhooks.allow_cidrs, IsEmpty());
}

TEST(SettingsSources, BooleansTakeTrueAndFalse) {
  EXPECT_TRUE(gather({.file = "[webhooks]\nallow_http = true\n"}).webhooks.allow_http);
  EXPECT_TRUE(gather({.flags = {"--webhooks-allow-http"}}).webhooks.allow_http);
  EXPECT_TRUE(gather({.flags = {"--webhooks-allow-http", "true"}}).webhooks.allow_http);
  EXPECT_FALSE(gather({.file = "[webhooks]\nallow_http = true\n", .flags = {"--webhooks-allow-http=false"}})
                   .webhooks.allow_http);
}

TEST(SettingsSources, ThePublicUrlIsHostAndPort) {
  for (const char* url : {"", "https://hub.example.com", "http://127.0.0.1:8080", "https://[2001:db8::1]:8443"}) {
    EXPECT_EQ(gather({.file = "public_url = \"" + std::string(url) + "\"\n"}).public_url, url);
  }
  for (const char* url : {"hub.example.com", "https://hub.example.com/", "https://hub.example.com/api",
                          "https://hub.example.com?x=1", "https://me:word@hub.example.com", "https://", "ftp://a"}) {
    EXPECT_THROW(gather({.file = "public_url = \"" + std::string(url) + "\"\n"}), SettingsError) << url;
  }
}

TEST(SettingsSources, WhatTomlAllowsBesides) {
  const Settings settings = gather({.file = "# a comment\r\n"
                                            "\n"
                                            "  data='/srv/it has #1, and blanks'   # behind the value\r\n"
                                            "limits.connections = 20_000\n"
                                            "[ limits ] # sizes\n"
                                            "body_bytes=2048\n"});
  EXPECT_EQ(settings.data, "/srv/it has #1, and blanks");
  EXPECT_EQ(settings.limits.connections, 20'000U);
  EXPECT_EQ(settings.limits.body_bytes, 2048U);
}

}  // namespace
}  // namespace carillon::app
