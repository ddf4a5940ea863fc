#include "app/settings_table.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "app/settings_file.h"
#include "tests/unit/app/settings_fixture.h"

namespace carillon::app {
namespace {

std::string sample_file() {
  std::ifstream input(CARILLON_SOURCE_DIR "/etc/carillon.toml");
  return {std::istreambuf_iterator<char>(input), {}};
}

/// The sample with the comment sign taken from every key; prose has a blank behind its sign.
std::string uncommented_sample() {
  std::istringstream lines(sample_file());
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    const bool is_key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    all += (is_key ? line.substr(1) : line) + "\n";
  }
  return all;
}

TEST(SettingsTable, NamesFollowFromTheKey) {
  const Setting* setting = find_setting("webhooks.allow_http");
  ASSERT_NE(setting, nullptr);
  EXPECT_EQ(setting->section(), "webhooks");
  EXPECT_EQ(setting->name(), "allow_http");
  EXPECT_EQ(setting->flag(), "--webhooks-allow-http");
  EXPECT_EQ(setting->variable(), "CARILLON_WEBHOOKS_ALLOW_HTTP");
  EXPECT_EQ(find_setting("listen")->flag(), "--listen");
  EXPECT_EQ(find_setting("nothing"), nullptr);
}

TEST(SettingsTable, KeysAreUniqueAndExplained) {
  std::set<std::string_view> keys;
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_TRUE(setting.help.ends_with('.')) << setting.key;
  }
}

TEST(SettingsTable, EveryDefaultIsAllowedAndSurvivesTheFile) {
  const Settings defaults;
  for (const Setting& setting : settings_table()) {
    const Settings read = gather({.file = std::string{setting.key} + " = " + setting.show(defaults) + "\n"});
    EXPECT_EQ(setting.show(read), setting.show(defaults)) << setting.key;
  }
}

TEST(SettingsSample, SetsNothingAsItIsDelivered) {
  std::istringstream input(sample_file());
  EXPECT_TRUE(read_settings_file(input, "carillon.toml").empty());
}

TEST(SettingsSample, ShowsEverySettingWithItsDefaultAndNoOther) {
  const Settings defaults;
  const Settings read = gather({.file = uncommented_sample()});
  std::istringstream input(uncommented_sample());
  std::set<std::string> shown;
  for (const FileValue& value : read_settings_file(input, "carillon.toml")) shown.insert(value.key);
  for (const Setting& setting : settings_table()) {
    EXPECT_EQ(shown.count(std::string{setting.key}), 1U) << setting.key << " is missing in etc/carillon.toml";
    EXPECT_EQ(setting.show(read), setting.show(defaults)) << setting.key;
  }
  EXPECT_EQ(shown.size(), settings_table().size());
}

}  // namespace
}  // namespace carillon::app
