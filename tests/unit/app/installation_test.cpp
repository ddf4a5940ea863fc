#include "app/installation.h"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

TEST(Installation, SettingsAreFoundBesideTheProgram) {
  EXPECT_EQ(settings_file_beside("/usr/bin/carillon"), "/etc/carillon/carillon.toml");
  EXPECT_EQ(settings_file_beside("/opt/anywhere/bin/carillon"), "/opt/anywhere/etc/carillon.toml");
  EXPECT_EQ(settings_file_beside("/usr/local/bin/carillon"), "/usr/local/etc/carillon.toml");
}

TEST(Installation, ABuildHasNone) {
  EXPECT_EQ(settings_file_beside("/src/carillon/build/release/app/carillon"), std::nullopt);
  EXPECT_EQ(installed_settings_file(), std::nullopt);
}

}  // namespace
}  // namespace carillon::app
