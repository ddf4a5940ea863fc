// Each wrong setting ends the start with one line that names it, its place, and what is wanted.
#include <gmock/gmock.h>

#include <ostream>

#include "tests/unit/app/settings_fixture.h"

namespace carillon::app {
namespace {

struct Wrong {
  const char* name;
  Sources sources;
  const char* message;

  /// Names the case where its bytes would be shown.
  friend void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }
};

std::string message_of(const Sources& sources) {
  try {
    gather(sources);
  } catch (const SettingsError& error) {
    return error.what();
  }
  return "(no error)";
}

class SettingsErrors : public testing::TestWithParam<Wrong> {};

TEST_P(SettingsErrors, NameTheSettingAndItsPlace) { EXPECT_EQ(message_of(GetParam().sources), GetParam().message); }

INSTANTIATE_TEST_SUITE_P(
    All, SettingsErrors,
    testing::Values(
        Wrong{"UnknownKey",
              {.file = "listen = \"127.0.0.1:80\"\n\n[webhooks]\n# comment\nalow_http = true\n"},
              "carillon.toml:5: unknown key 'webhooks.alow_http' (did you mean 'webhooks.allow_http'?)"},
        Wrong{"UnknownSection",
              {.file = "[websockets]\nheartbeat_s = 3\n"},
              "carillon.toml:2: unknown key 'websockets.heartbeat_s' (did you mean 'websocket.heartbeat_s'?)"},
        Wrong{"KeyWithoutItsSection",
              {.file = "allow_http = true\n"},
              "carillon.toml:1: unknown key 'allow_http' (did you mean 'webhooks.allow_http'?)"},
        Wrong{"KeyLikeNoOther", {.file = "colour = \"red\"\n"}, "carillon.toml:1: unknown key 'colour'"},
        Wrong{"NumberThatIsText",
              {.file = "[limits]\nbody_bytes = \"big\"\n"},
              "carillon.toml:2: 'limits.body_bytes' must be a whole number from 1024 to 1073741824, not \"big\""},
        Wrong{"NumberInQuotes",
              {.file = "[limits]\nbody_bytes = \"4096\"\n"},
              "carillon.toml:2: 'limits.body_bytes' must be a whole number from 1024 to 1073741824, not \"4096\""},
        Wrong{"NumberWithFraction",
              {.file = "[limits]\nbody_bytes = 4096.5\n"},
              "carillon.toml:2: 'limits.body_bytes' must be a whole number from 1024 to 1073741824, not 4096.5"},
        Wrong{"NumberTooSmall",
              {.file = "limits.body_bytes = 1\n"},
              "carillon.toml:1: 'limits.body_bytes' must be a whole number from 1024 to 1073741824, not 1"},
        Wrong{"NumberBelowZero",
              {.file = "loops = -1\n"},
              "carillon.toml:1: 'loops' must be a whole number from 0 to 256, not -1"},
        Wrong{"NumberBeyondAll",
              {.file = "loops = 99999999999999999999\n"},
              "carillon.toml:1: 'loops' must be a whole number from 0 to 256, not 99999999999999999999"},
        Wrong{"BooleanInOtherWords",
              {.file = "[webhooks]\nallow_http = yes\n"},
              "carillon.toml:2: 'webhooks.allow_http' must be true or false, not yes"},
        Wrong{"ChoiceThatIsNone",
              {.file = "ownership = \"everybody\"\n"},
              "carillon.toml:1: 'ownership' must be one of key, account, not \"everybody\""},
        Wrong{"TextWithoutQuotes",
              {.file = "listen = 127.0.0.1:8080\n"},
              "carillon.toml:1: 'listen' must be an address with a port, like 127.0.0.1:8080 or [::1]:8080 in quotes, "
              "not 127.0.0.1:8080"},
        Wrong{"AddressWithoutPort",
              {.file = "listen = \"127.0.0.1\"\n"},
              "carillon.toml:1: 'listen' must be an address with a port, like 127.0.0.1:8080 or [::1]:8080, not "
              "\"127.0.0.1\""},
        Wrong{"ListThatIsNone",
              {.file = "[webhooks]\nallow_cidrs = \"10.0.0.0/8\"\n"},
              "carillon.toml:2: 'webhooks.allow_cidrs' must be a list of networks, like 10.0.0.0/8 or fd00::/8, not "
              "\"10.0.0.0/8\""},
        Wrong{"WrongElementOfAListOverSeveralLines",
              {.file = "[webhooks]\n\nallow_cidrs = [\n  \"10.0.0.0/8\",\n  \"10.0.0.0/33\",\n]\nallow_http = true\n"},
              "carillon.toml:3: 'webhooks.allow_cidrs' must be a list of networks, like 10.0.0.0/8 or fd00::/8, not "
              "[\"10.0.0.0/8\",\"10.0.0.0/33\"]"},
        Wrong{"KeyAfterAListOverSeveralLines",
              {.file = "[webhooks]\nallow_cidrs = [\n  \"10.0.0.0/8\",\n]\nallow_htp = true\n"},
              "carillon.toml:5: unknown key 'webhooks.allow_htp' (did you mean 'webhooks.allow_http'?)"},
        Wrong{"EmptyRetrySchedule",
              {.file = "webhooks.retry_delays_s = []\n"},
              "carillon.toml:1: 'webhooks.retry_delays_s' must be a list of 1 to 100 whole numbers from 0 to 2592000, "
              "not []"},
        Wrong{"ArrayNotClosed",
              {.file = "loops = 1\n[webhooks]\nallow_cidrs = [\n\"10.0.0.0/8\"\n"},
              "carillon.toml:3: this '[' is not closed"},
        Wrong{"StringNotClosed", {.file = "data = \"/srv\n"}, "carillon.toml:1: this string is not closed"},
        Wrong{"EscapeInString",
              {.file = "data = \"C:\\\\bells\"\n"},
              "carillon.toml:1: no escapes in \"…\": write it in single quotes"},
        Wrong{"NoValue", {.file = "\nloops =\n"}, "carillon.toml:2: 'loops' has no value"},
        Wrong{"NoEquals", {.file = "loops 3\n"}, "carillon.toml:1: expected key = value"},
        Wrong{"TwoWordsForAValue",
              {.file = "loops = 1 2\n"},
              "carillon.toml:1: 'loops' is no value of TOML that is taken here: 1 2"},
        Wrong{
            "SectionNotClosed", {.file = "[webhooks\nallow_http = true\n"}, "carillon.toml:1: this '[' is not closed"},
        Wrong{"ArrayOfTables", {.file = "[[webhooks]]\n"}, "carillon.toml:1: expected [section]"},
        Wrong{"SetTwice",
              {.file = "[limits]\nconnections = 5\n[log]\nlevel = \"info\"\n[limits]\nconnections = 6\n"},
              "carillon.toml:6: 'limits.connections' is already set on line 2"},
        Wrong{"WrongVariable",
              {.variables = {{"CARILLON_LIMITS_HEAD_TIMEOUT_S", "soon"}}},
              "CARILLON_LIMITS_HEAD_TIMEOUT_S must be a whole number from 1 to 3600, not 'soon'"},
        Wrong{"WrongFlag",
              {.flags = {"--limits-head-timeout-s=0"}},
              "--limits-head-timeout-s must be a whole number from 1 to 3600, not '0'"},
        Wrong{"WrongElementInFlag",
              {.flags = {"--webhooks-allow-cidrs", "10.0.0.0/8,10.1.2.3/8"}},
              "--webhooks-allow-cidrs must be a list of networks, like 10.0.0.0/8 or fd00::/8, not "
              "'10.0.0.0/8,10.1.2.3/8'"},
        Wrong{"OriginWithAPath",
              {.file = "[websocket]\norigins = [\"https://example.com\", \"https://example.com/app\"]\n"},
              "carillon.toml:2: 'websocket.origins' must be a list of origins, like https://app.example.com, with "
              "nothing behind host and port, not [\"https://example.com\",\"https://example.com/app\"]"},
        Wrong{"PublicUrlWithAPath",
              {.flags = {"--public-url", "https://hub.example.com/"}},
              "--public-url must be an http:// or https:// URL with nothing behind host and port, like "
              "https://hub.example.com, or empty, not 'https://hub.example.com/'"},
        Wrong{"PublicUrlOfAnotherScheme",
              {.file = "public_url = \"wss://hub.example.com\"\n"},
              "carillon.toml:1: 'public_url' must be an http:// or https:// URL with nothing behind host and port, "
              "like https://hub.example.com, or empty, not \"wss://hub.example.com\""},
        Wrong{"SecretKeyFileThatIsADirectory",
              {.file = "[webhooks]\nsecret_key_file = \"/srv/keys/\"\n"},
              "carillon.toml:2: 'webhooks.secret_key_file' must be the path of a file, or empty, not \"/srv/keys/\""},
        Wrong{"ClientCertificateWithoutItsKey",
              {.file = "[webhooks]\nclient_cert = \"/dev/null\"\n"},
              "webhooks.client_cert is set to /dev/null, but no webhooks.client_key: mTLS takes both"},
        Wrong{"ClientKeyWithoutItsCertificate",
              {.flags = {"--webhooks-client-key", "/dev/null"}},
              "webhooks.client_key is set to /dev/null, but no webhooks.client_cert: mTLS takes both"},
        Wrong{"FileThatIsNot",
              {.flags = {"--config", "/nonexistent/carillon.toml"}},
              "/nonexistent/carillon.toml: cannot be read: No such file or directory"},
        Wrong{
            "FileThatIsADirectory", {.variables = {{"CARILLON_CONFIG", "/"}}}, "/: cannot be read: it is a directory"}),
    [](const testing::TestParamInfo<Wrong>& wrong) { return wrong.param.name; });

// A wrong value is an error even where a stronger source would overrule it: the file is to be mended.
TEST(SettingsErrorsOfTheFile, AreNotHiddenByAFlag) {
  EXPECT_EQ(message_of({.file = "loops = 1000\n", .flags = {"--loops", "1"}}),
            "carillon.toml:1: 'loops' must be a whole number from 0 to 256, not 1000");
}

}  // namespace
}  // namespace carillon::app
