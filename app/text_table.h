// Rows of text in columns as wide as they need to be, for a terminal.
//
// Threads: pure.
#pragma once

#include <string>
#include <vector>

namespace carillon::app {

/// The first row is the heading. A line each, the last column unpadded.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace carillon::app
