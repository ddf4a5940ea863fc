#include "app/data_directory.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "tests/unit/app/settings_fixture.h"

namespace carillon::app {
namespace {

class DataDirectoryTest : public testing::Test {
 protected:
  TemporaryDirectory parent_;
  std::string path_ = parent_.path() / "some" / "data";
};

TEST_F(DataDirectoryTest, IsMadeForItsOwnerAlone) {
  EXPECT_FALSE(DataDirectory::exists(path_));
  const DataDirectory directory(path_, DataDirectory::Use::serve);
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  EXPECT_TRUE(DataDirectory::exists(path_));
  EXPECT_EQ(directory.database_file(), path_ + "/carillon.db");
}

TEST_F(DataDirectoryTest, IsServedByOneHubAtATime) {
  {
    const DataDirectory first(path_, DataDirectory::Use::serve);
    try {
      const DataDirectory second(path_, DataDirectory::Use::serve);
      FAIL() << "two hubs serve one directory";
    } catch (const DataDirectoryBusy& error) {
      EXPECT_EQ(error.what(), "data directory '" + path_ + "': another hub serves it");
    }
  }
  const DataDirectory next(path_, DataDirectory::Use::serve);
}

TEST_F(DataDirectoryTest, IsVisitedWhileItIsServed) {
  const DataDirectory hub(path_, DataDirectory::Use::serve);
  const DataDirectory visitor(path_, DataDirectory::Use::visit);
  EXPECT_EQ(visitor.path(), path_);
}

TEST_F(DataDirectoryTest, IsNotMadeByAVisitor) {
  EXPECT_THROW(DataDirectory(path_, DataDirectory::Use::visit), std::runtime_error);
  EXPECT_FALSE(DataDirectory::exists(path_));
}

TEST_F(DataDirectoryTest, SaysWhatIsWrongWithIt) {
  const std::string file = parent_.path() / "file";
  std::ofstream(file) << "x";
  try {
    const DataDirectory directory(file, DataDirectory::Use::serve);
    FAIL() << "a file was taken for a directory";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(error.what(), "data directory '" + file + "': cannot be opened: Not a directory");
  }
}

TEST_F(DataDirectoryTest, ControlSocketFitsHoweverLongThePath) {
  const DataDirectory directory(path_ + std::string(200, 'x'), DataDirectory::Use::serve);
  const std::string name = directory.control_socket();
  sockaddr_un address{};
  ASSERT_LT(name.size(), sizeof address.sun_path);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.data(), name.size());
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  const int bound = bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  close(listener);
  EXPECT_EQ(bound, 0);
  EXPECT_TRUE(std::filesystem::exists(directory.path() + "/control.sock"));
}

}  // namespace
}  // namespace carillon::app
