#include "app/settings_file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>

namespace carillon::app {
namespace {

constexpr std::string_view blanks = " \t\r";

/// One `key = value` or `[section]`, freed of comments, of blanks that mean nothing, and of line breaks in arrays.
struct LogicalLine {
  std::string text;
  int number = 0;
};

[[noreturn]] void fail(const std::string& name, int line, const std::string& what) {
  throw SettingsError(name + ":" + std::to_string(line) + ": " + what);
}

/// Gathers logical lines. CLI11's own reader finds comments and blanks without regard to quotes, so it is only given
/// lines in which nothing is left to be misread.
class LineReader {
 public:
  LineReader(std::istream& input, const std::string& name) : input_(input), name_(name) {}

  /// False at the end of the file.
  bool next(LogicalLine& line) {
    line = {};
    depth_ = 0;
    std::string physical;
    while (std::getline(input_, physical)) {
      ++number_;
      if (line.text.empty()) line.number = number_;
      append(line.text, physical);
      if (depth_ > 0) continue;
      if (!line.text.empty()) return true;
    }
    if (!line.text.empty()) fail(name_, line.number, "this '[' is not closed");
    return false;
  }

 private:
  void append(std::string& out, std::string_view physical) {
    char quote = 0;
    bool blank = false;
    for (const char c : physical) {
      if (quote != 0) {
        if (c == '\\' && quote == '"') fail(name_, number_, "no escapes in \"…\": write it in single quotes");
        if (c == quote) quote = 0;
        out += c;
        continue;
      }
      if (c == '#') break;
      if (blanks.find(c) != std::string_view::npos) {
        blank = true;
        continue;
      }
      // A blank between two words keeps them apart; beside punctuation it means nothing.
      if (blank && !out.empty() && !is_punctuation(out.back()) && !is_punctuation(c)) out += ' ';
      blank = false;
      // An array may end with a comma.
      if (c == ']' && out.ends_with(',')) out.pop_back();
      if (c == '"' || c == '\'') quote = c;
      if (c == '[') ++depth_;
      if (c == ']') --depth_;
      out += c;
    }
    if (quote != 0) fail(name_, number_, "this string is not closed");
  }

  static bool is_punctuation(char c) { return c == '=' || c == ',' || c == '[' || c == ']'; }

  std::istream& input_;
  const std::string& name_;
  int number_ = 0;
  int depth_ = 0;
};

bool is_key(std::string_view text) {
  const auto part = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; };
  char before = '.';
  for (const char c : text) {
    if (c == '.' ? before == '.' : !part(c)) return false;
    before = c;
  }
  return before != '.';
}

/// `"…"`, `'…'` or a bare word.
bool is_scalar(std::string_view text, bool& is_quoted) {
  if (text.empty()) return false;
  is_quoted = text.front() == '"' || text.front() == '\'';
  if (is_quoted) return text.size() >= 2 && text.find(text.front(), 1) == text.size() - 1;
  return text.find_first_of(" \"'[]{}") == std::string_view::npos;
}

/// The elements of an array without its brackets, as written.
std::vector<std::string_view> elements_of(std::string_view inner) {
  std::vector<std::string_view> elements;
  char quote = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= inner.size(); ++i) {
    if (i == inner.size() || (quote == 0 && inner[i] == ',')) {
      elements.push_back(inner.substr(begin, i - begin));
      begin = i + 1;
    } else if (quote == 0 ? inner[i] == '"' || inner[i] == '\'' : inner[i] == quote) {
      quote = quote == 0 ? inner[i] : '\0';
    }
  }
  if (inner.empty()) elements.clear();
  return elements;
}

/// Fills in what kind of value was written; false when it is none that is taken.
bool judge(FileValue& value) {
  const std::string_view written = value.written;
  if (!written.starts_with('[')) return is_scalar(written, value.is_quoted);
  if (!written.ends_with(']')) return false;
  value.is_array = true;
  value.is_quoted = true;
  for (const std::string_view element : elements_of(written.substr(1, written.size() - 2))) {
    bool quoted = false;
    if (!is_scalar(element, quoted)) return false;
    value.is_quoted = value.is_quoted && quoted;
  }
  return true;
}

}  // namespace

std::vector<FileValue> read_settings_file(std::istream& input, const std::string& name) {
  std::vector<FileValue> values;
  std::string section;
  LineReader lines(input, name);
  for (LogicalLine line; lines.next(line);) {
    if (line.text.front() == '[') {
      section = line.text.substr(1, line.text.size() - 2);
      if (!line.text.ends_with(']') || !is_key(section)) fail(name, line.number, "expected [section]");
      continue;
    }
    const std::size_t equals = line.text.find('=');
    if (equals == std::string::npos || !is_key(line.text.substr(0, equals))) {
      fail(name, line.number, "expected key = value");
    }
    FileValue value;
    value.line = line.number;
    value.written = line.text.substr(equals + 1);
    const std::string key = line.text.substr(0, equals);
    value.key = section.empty() ? key : section + "." + key;
    if (value.written.empty()) fail(name, line.number, "'" + value.key + "' has no value");
    if (!judge(value)) {
      fail(name, line.number, "'" + value.key + "' is no value of TOML that is taken here: " + value.written);
    }
    const auto earlier = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.key == value.key; });
    if (earlier != values.end()) {
      fail(name, line.number, "'" + value.key + "' is already set on line " + std::to_string(earlier->line));
    }
    std::istringstream one(line.text);
    CLI::ConfigTOML toml;
    toml.comment('\0');  // comments are gone; what looks like one is inside quotes
    for (CLI::ConfigItem& item : toml.from_config(one)) value.inputs = std::move(item.inputs);
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace carillon::app
