#include "storage/new_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "hub/store.h"

namespace carillon::storage {
namespace {

namespace fs = std::filesystem;
using Existing = NewFile::Existing;

class NewFileTest : public ::testing::Test {
 protected:
  NewFileTest() {
    std::string pattern = (fs::temp_directory_path() / "carillon-file-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = (folder_ / "made").string();
  }
  ~NewFileTest() override { fs::remove_all(folder_); }

  static std::string refusal(const std::string& path, Existing existing) {
    try {
      NewFile file(path, existing);
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  }

  fs::path folder_;
  std::string path_;
};

TEST_F(NewFileTest, AppearsWhenItIsWholeAndIsItsOwnersAlone) {
  {
    NewFile file(path_, Existing::refused);
    file.write("all of it");
    EXPECT_FALSE(fs::exists(path_));
    file.put_in_place();
  }
  EXPECT_EQ(read_small_file(path_), "all of it");
  EXPECT_FALSE(fs::exists(path_ + ".partial"));
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(NewFileTest, WhatIsGivenUpLeavesNothing) {
  { NewFile(path_, Existing::refused).write("half"); }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(NewFileTest, WhatIsThereIsReplacedOnlyWhereThatIsWanted) {
  std::ofstream(path_) << "old";
  EXPECT_THAT(refusal(path_, Existing::refused), ::testing::HasSubstr("is there already"));
  {
    NewFile file(path_, Existing::replaced);
    file.write("new");
    EXPECT_EQ(read_small_file(path_), "old");
    file.put_in_place();
  }
  EXPECT_EQ(read_small_file(path_), "new");
}

TEST_F(NewFileTest, WhatCameToBeMeanwhileIsNotReplaced) {
  NewFile file(path_, Existing::refused);
  std::ofstream(path_) << "another's";
  EXPECT_THROW(file.put_in_place(), hub::StoreError);
  EXPECT_EQ(read_small_file(path_), "another's");
}

TEST_F(NewFileTest, IsMadeByOneAtATimeAndOverWhatWasLeftBehind) {
  std::ofstream(path_ + ".partial") << "left behind, and longer than what comes";
  NewFile file(path_, Existing::refused);
  EXPECT_THAT(refusal(path_, Existing::refused), ::testing::HasSubstr("another process is just writing"));
  file.write("whole");
  file.put_in_place();
  EXPECT_EQ(read_small_file(path_), "whole");
}

TEST_F(NewFileTest, AFolderThatIsNotThereIsNamed) {
  EXPECT_THAT(refusal((folder_ / "no" / "such").string(), Existing::refused), ::testing::HasSubstr("no/such"));
}

}  // namespace
}  // namespace carillon::storage
