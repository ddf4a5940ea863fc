// The settings file: TOML, read by CLI11 line by line, so that what is wrong with it can be told with its line.
//
// Taken are sections, bare and dotted keys, strings in double or single quotes (without escapes), whole numbers, true
// and false, and arrays, over several lines if need be. What TOML has beyond that, no setting needs.
//
// Threads: any.
#pragma once

#include <istream>
#include <stdexcept>
#include <string>
#include <vector>

namespace carillon::app {

/// What was set wrongly, where, and what is wanted instead; ends a start with exit code 2.
class SettingsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A value that the file sets.
struct FileValue {
  std::string key;                  ///< with its section: "webhooks.allow_http"
  std::vector<std::string> inputs;  ///< one, or the elements of an array, without quotes
  bool is_array = false;
  bool is_quoted = false;  ///< the value, or every element of the array
  std::string written;     ///< as it stands in the file
  int line = 0;
};

/// What the file sets, in its order. `name` is what errors call it. Throws SettingsError.
std::vector<FileValue> read_settings_file(std::istream& input, const std::string& name);

}  // namespace carillon::app
