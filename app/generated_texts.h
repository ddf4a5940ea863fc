// Texts that follow from the definition of commands and settings: what a shell completes, the manual page, and the
// reference of the settings. They are written by `carillon generate`, so that none of them can say anything else than
// the program does.
//
// Threads: pure functions; any.
#pragma once

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace carillon::app {

/// For bash: commands, options, the words that an option takes, files.
std::string bash_completion(const CLI::App& app);

/// In man(7), section 1.
std::string manual_page(const CLI::App& app);

/// In Markdown, a table for each section of the settings file.
std::string settings_reference();

}  // namespace carillon::app
