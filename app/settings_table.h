// The table of settings: one row for each, from which the flag, the environment variable, the key of the TOML file, the
// help text and the check all follow.
//
// Threads: immutable; any.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.h"

namespace carillon::app {

/// How a value is written in TOML: text in quotes, numbers and truth values bare, lists as arrays.
enum class SettingShape : std::uint8_t { text, number, boolean, text_list, number_list };

constexpr bool is_list(SettingShape shape) {
  return shape == SettingShape::text_list || shape == SettingShape::number_list;
}

struct Setting {
  std::string_view key;   ///< as in the file, with its section: "webhooks.allow_http"
  std::string_view help;  ///< unit and effect
  SettingShape shape;
  std::string wanted;  ///< what a value must be: "a whole number from 1 to 60"
  /// Takes the value, one text for each element of a list; false, and nothing changed, when it is not what is wanted.
  std::function<bool(Settings&, const std::vector<std::string>&)> set;
  /// The value as TOML writes it.
  std::function<std::string(const Settings&)> show;
  /// Takes the value over from other settings.
  std::function<void(Settings&, const Settings&)> take;
  std::vector<std::string> words = {};  ///< all that a value can be, where it is one of a few
  bool reloads = false;                 ///< whether a running hub takes it at SIGHUP; otherwise its next start does

  /// "webhooks" of "webhooks.allow_http", "" of "listen".
  std::string_view section() const;
  /// "allow_http" of "webhooks.allow_http".
  std::string_view name() const;
  /// "--webhooks-allow-http"
  std::string flag() const;
  /// "CARILLON_WEBHOOKS_ALLOW_HTTP"
  std::string variable() const;
};

/// Every setting: those without a section first, then section by section.
const std::vector<Setting>& settings_table();

/// Null when there is none of that key.
const Setting* find_setting(std::string_view key);

}  // namespace carillon::app
