#include "app/data_owner.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace carillon::app {

void become_owner_of(const std::string& data_directory) {
  struct stat directory {};
  if (geteuid() != 0 || stat(data_directory.c_str(), &directory) != 0 || directory.st_uid == 0) return;
  if (setgroups(0, nullptr) == 0 && setgid(directory.st_gid) == 0 && setuid(directory.st_uid) == 0) return;
  throw std::runtime_error("data directory '" + data_directory + "': it belongs to user " +
                           std::to_string(directory.st_uid) +
                           ", and root cannot become that user here: " + std::generic_category().message(errno));
}

}  // namespace carillon::app
