// Whose a data directory is. On an installed system it belongs to the user that the hub runs as, and the administrator
// who types a command is root: what root made there, the hub could not open.
//
// Threads: one, before others are started.
#pragma once

#include <string>

namespace carillon::app {

/// Where root runs this and the directory is another user's, the process goes on as that user, for good. Throws
/// std::runtime_error where the system does not let it.
void become_owner_of(const std::string& data_directory);

}  // namespace carillon::app
