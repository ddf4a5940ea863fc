#include "app/settings_sources.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "app/installation.h"
#include "app/nearest_word.h"
#include "app/settings_table.h"

namespace carillon::app {
namespace {

constexpr const char* config_flag = "--config";
constexpr const char* config_variable = "CARILLON_CONFIG";
constexpr std::size_t help_columns = 100;

/// Sets from a flag or a variable, where a list is written with commas.
void set_from_text(Settings& settings, const Setting& setting, const std::string& source, const std::string& text) {
  std::vector<std::string> values = {text};
  if (is_list(setting.shape)) {
    values = text.empty() ? std::vector<std::string>{} : CLI::detail::split(text, ',');
    for (std::string& value : values) CLI::detail::trim(value);
  }
  if (!setting.set(settings, values)) {
    throw SettingsError(source + " must be " + setting.wanted + ", not '" + text + "'");
  }
}

bool has_shape(const FileValue& value, SettingShape shape) {
  const bool wants_quotes = shape == SettingShape::text || shape == SettingShape::text_list;
  if (value.is_array != is_list(shape)) return false;
  return value.is_quoted == wants_quotes || (value.is_array && value.inputs.empty());
}

/// Of what was probably meant: the same name in another section, or a key that looks like it.
std::string nearest_key(const std::string& key) {
  std::vector<std::string> keys;
  for (const Setting& setting : settings_table()) {
    if (setting.name() == key.substr(key.rfind('.') + 1)) return std::string{setting.key};
    keys.emplace_back(setting.key);
  }
  return nearest_word(key, keys);
}

void set_from_file(Settings& settings, const FileValue& value, const std::string& file) {
  const std::string where = file + ":" + std::to_string(value.line) + ": ";
  const Setting* setting = find_setting(value.key);
  if (setting == nullptr) {
    throw SettingsError(where + "unknown key '" + value.key + "'" + did_you_mean(nearest_key(value.key)));
  }
  if (!has_shape(value, setting->shape) || !setting->set(settings, value.inputs)) {
    // A text without its quotes looks right in the message otherwise.
    const bool unquoted = setting->shape == SettingShape::text && !value.is_quoted && !value.is_array;
    throw SettingsError(where + "'" + value.key + "' must be " + setting->wanted + (unquoted ? " in quotes" : "") +
                        ", not " + value.written);
  }
}

void set_from_file(Settings& settings, const std::string& file) {
  std::ifstream input(file);
  const int error = errno;
  std::error_code ignored;
  if (!input || std::filesystem::is_directory(file, ignored)) {
    throw SettingsError(file +
                        ": cannot be read: " + (input ? "it is a directory" : std::generic_category().message(error)));
  }
  for (const FileValue& value : read_settings_file(input, file)) set_from_file(settings, value, file);
}

/// What each setting's own check cannot see.
void check_pairs(const Settings& settings) {
  const auto check = [](const char* key, const std::string& value, const char* other_key, const std::string& other,
                        const char* what) {
    if (value.empty() || !other.empty()) return;
    throw SettingsError(std::string(key) + " is set to " + value + ", but no " + other_key + ": " + what +
                        " takes both");
  };
  const auto check_both = [&](const char* cert_key, const std::string& cert, const char* key_key,
                              const std::string& key, const char* what) {
    check(cert_key, cert, key_key, key, what);
    check(key_key, key, cert_key, cert, what);
  };
  const Settings::Webhooks& webhooks = settings.webhooks;
  check_both("tls_cert", settings.tls_cert, "tls_key", settings.tls_key, "TLS");
  check_both("webhooks.client_cert", webhooks.client_cert, "webhooks.client_key", webhooks.client_key, "mTLS");
}

std::string placeholder(const Setting& setting) {
  switch (setting.shape) {
    case SettingShape::number:
      return "N";
    case SettingShape::boolean:
      return "true|false";
    case SettingShape::text:
      return "TEXT";
    case SettingShape::text_list:
      return "TEXT,…";
    case SettingShape::number_list:
      return "N,…";
  }
  return "";
}

void append_entry(std::string& out, const std::string& head, const std::string& body) {
  constexpr std::string_view indent = "      ";
  out += "  " + head + "\n";
  std::istringstream words(body);
  std::string line{indent};
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > help_columns) {
      out += line + "\n";
      line = indent;
    }
    if (line.size() > indent.size()) line += ' ';
    line += word;
  }
  out += line + "\n";
}

}  // namespace

Environment process_environment() {
  return [](const std::string& variable) -> std::optional<std::string> {
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

SettingsSources::SettingsSources(CLI::App& app) : config_(app.add_option(config_flag)) {
  config_->group(settings_group)->type_name("FILE");
  for (const Setting& setting : settings_table()) {
    CLI::Option* flag = app.add_option(setting.flag());
    flag->group(settings_group)->type_name(placeholder(setting));
    // A bare flag says yes; a list may be empty.
    if (setting.shape == SettingShape::boolean) flag->expected(0, 1)->default_str("true");
    if (is_list(setting.shape)) flag->expected(0, 1);
    flags_.push_back(flag);
  }
}

Settings SettingsSources::gather(const Environment& environment) const {
  const auto given = [](const CLI::Option* option) -> std::optional<std::string> {
    if (option->count() == 0) return std::nullopt;
    if (option->count() > 1) throw SettingsError(option->get_name() + " is given more than once");
    return option->results().front();
  };
  Settings settings;
  // The weakest source first; each later one overwrites.
  std::optional<std::string> file = given(config_);
  if (!file) file = environment(config_variable);
  if (!file) file = installed_settings_file();
  if (file) set_from_file(settings, *file);

  for (std::size_t i = 0; i < flags_.size(); ++i) {
    const Setting& setting = settings_table()[i];
    if (const auto text = given(flags_[i])) {
      set_from_text(settings, setting, setting.flag(), *text);
    } else if (const auto value = environment(setting.variable())) {
      set_from_text(settings, setting, setting.variable(), *value);
    }
  }
  check_pairs(settings);
  return settings;
}

std::string settings_help() {
  const Settings defaults;
  std::string out =
      "Settings: a flag goes before its environment variable, that before the settings file, that before the default.\n"
      "In the file (TOML), --webhooks-allow-http is the key allow_http of the section [webhooks], and so on.\n";
  append_entry(
      out, "--config FILE",
      "The settings file. Without: that of the installation (/etc/carillon/carillon.toml of the Debian package, "
      "etc/carillon.toml of the tarball), else none. [CARILLON_CONFIG]");
  for (const Setting& setting : settings_table()) {
    append_entry(out, setting.flag() + " " + placeholder(setting),
                 std::string{setting.help} + " Must be " + setting.wanted + "; default " + setting.show(defaults) +
                     " [" + setting.variable() + "].");
  }
  return out;
}

}  // namespace carillon::app
