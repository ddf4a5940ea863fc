#include "app/settings_changes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "app/settings_table.h"
#include "tests/unit/app/settings_fixture.h"

namespace carillon::app {
namespace {

std::string text_of(const std::string& file) {
  std::ifstream input(CARILLON_SOURCE_DIR "/" + file);
  return {std::istreambuf_iterator<char>(input), {}};
}

TEST(SettingChanges, AreNoneBetweenWhatIsTheSame) {
  const SettingChanges changes = changes_between({}, {});
  EXPECT_TRUE(changes.taken.empty());
  EXPECT_TRUE(changes.waiting.empty());
}

TEST(SettingChanges, AreTakenOrWait) {
  Settings wanted;
  wanted.log.level = LogLevel::debug;
  wanted.webhooks.allow_cidrs = {"10.0.0.0/8"};
  wanted.loops = 3;
  const SettingChanges changes = changes_between({}, wanted);
  ASSERT_EQ(changes.taken.size(), 2U);
  EXPECT_EQ(changes.taken[0].key, "log.level");
  EXPECT_EQ(changes.taken[0].from, "info");
  EXPECT_EQ(changes.taken[0].to, "debug");
  EXPECT_EQ(changes.taken[1].to, "[\"10.0.0.0/8\"]");
  ASSERT_EQ(changes.waiting.size(), 1U);
  EXPECT_EQ(changes.waiting[0].key, "loops");
  EXPECT_EQ(changes.settings.log.level, LogLevel::debug);
  EXPECT_EQ(changes.settings.webhooks.allow_cidrs, wanted.webhooks.allow_cidrs);
  EXPECT_EQ(changes.settings.loops, 0U) << "as it runs";
}

TEST(SettingChanges, OtherFilesOfTlsAreTakenButNotItsBeginningOrEnd) {
  Settings with;
  with.tls_cert = "cert.pem";
  with.tls_key = "key.pem";
  Settings other = with;
  other.tls_cert = "other.pem";
  EXPECT_EQ(changes_between(with, other).settings.tls_cert, "other.pem");
  EXPECT_EQ(changes_between({}, with).waiting.size(), 2U);
  EXPECT_EQ(changes_between({}, with).settings.tls_cert, "");
  EXPECT_EQ(changes_between(with, {}).settings.tls_cert, "cert.pem");
}

TEST(SettingChanges, TheSampleSaysWhatNeedsARestart) {
  std::istringstream lines(text_of("etc/carillon.toml"));
  std::string section;
  std::string before;
  std::size_t seen = 0;
  for (std::string line; std::getline(lines, line); before = line) {
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1) + ".";
    if (line.size() < 2 || line[0] != '#' || line[1] == ' ') continue;
    const std::string key = section + line.substr(1, line.find(' ') - 1);
    const Setting* const setting = find_setting(key);
    ASSERT_NE(setting, nullptr) << key;
    ++seen;
    EXPECT_EQ(before == "# Needs a restart.", !setting->reloads) << key;
  }
  EXPECT_EQ(seen, settings_table().size());
}

TEST(SettingChanges, TheDocumentOnLimitsMarksWhatNeedsARestart) {
  const std::string text = text_of("docs/limits.md");
  for (const Setting& setting : settings_table()) {
    if (setting.section().empty()) continue;
    const std::string name = "`" + std::string(setting.key) + "`";
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      EXPECT_EQ(text.compare(at + name.size(), 4, " †") == 0, !setting.reloads) << setting.key;
    }
  }
}

}  // namespace
}  // namespace carillon::app
