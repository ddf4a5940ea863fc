// The kinds of settings: each makes a row of the table from a key, the member it sets and what it allows.
//
// `get` is a captureless generic function from Settings& (const or not) to a reference to the member.
//
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "app/settings_table.h"

namespace carillon::app::kinds {

using Texts = std::vector<std::string>;

/// Decimal digits; `_` may stand between two, as in TOML.
std::optional<std::int64_t> parse_number(std::string_view text);
/// As a TOML string.
std::string quoted(std::string_view text);
/// As a TOML array of strings or numbers.
std::string shown_list(const std::vector<std::string>& values);
std::string shown_list(const std::vector<std::int64_t>& values);

bool is_filled(const std::string& text);
/// host:port or [v6]:port
bool is_address(const std::string& text);
bool is_address_or_empty(const std::string& text);
/// An IPv4 or IPv6 network with its prefix length.
bool is_cidr(const std::string& text);
/// A web page's origin, as RFC 6454 has it.
bool is_origin(const std::string& text);
/// The same, or `*` for all.
bool is_origin_or_any(const std::string& text);
bool is_readable_or_empty(const std::string& path);
/// A file that may yet have to be made.
bool is_file_path_or_empty(const std::string& path);
/// http:// or https://, a host, perhaps a port, and nothing more.
bool is_public_url_or_empty(const std::string& text);

std::string range_text(std::int64_t min, std::int64_t max);

/// One that a running hub takes at SIGHUP.
inline Setting live(Setting setting) {
  setting.reloads = true;
  return setting;
}

template <typename Get>
Setting number(std::string_view key, Get get, std::int64_t min, std::int64_t max, std::string_view help) {
  return {key,
          help,
          SettingShape::number,
          "a whole number " + range_text(min, max),
          [=](Settings& settings, const Texts& texts) {
            const auto value = texts.size() == 1 ? parse_number(texts[0]) : std::nullopt;
            if (!value || *value < min || *value > max) return false;
            get(settings) = static_cast<std::remove_reference_t<decltype(get(settings))>>(*value);
            return true;
          },
          [=](const Settings& settings) { return std::to_string(get(settings)); },
          [=](Settings& to, const Settings& from) { get(to) = get(from); }};
}

template <typename Get>
Setting text(std::string_view key, Get get, bool (*allowed)(const std::string&), std::string wanted,
             std::string_view help) {
  return {key,
          help,
          SettingShape::text,
          std::move(wanted),
          [=](Settings& settings, const Texts& texts) {
            if (texts.size() != 1 || !allowed(texts[0])) return false;
            get(settings) = texts[0];
            return true;
          },
          [=](const Settings& settings) { return quoted(get(settings)); },
          [=](Settings& to, const Settings& from) { get(to) = get(from); }};
}

template <typename Get>
Setting boolean(std::string_view key, Get get, std::string_view help) {
  return {key,
          help,
          SettingShape::boolean,
          "true or false",
          [=](Settings& settings, const Texts& texts) {
            if (texts.size() != 1 || (texts[0] != "true" && texts[0] != "false")) return false;
            get(settings) = texts[0] == "true";
            return true;
          },
          [=](const Settings& settings) -> std::string { return get(settings) ? "true" : "false"; },
          [=](Settings& to, const Settings& from) { get(to) = get(from); },
          {"true", "false"}};
}

template <typename Get>
using Member = std::remove_reference_t<std::invoke_result_t<Get, Settings&>>;

/// One of a few words, each standing for a value.
template <typename Get>
Setting choice(std::string_view key, Get get, std::vector<std::pair<std::string, Member<Get>>> words,
               std::string_view help) {
  std::string wanted = "one of ";
  std::vector<std::string> all;
  for (const auto& [word, value] : words) {
    wanted += (all.empty() ? "" : ", ") + word;
    all.push_back(word);
  }
  return {key,
          help,
          SettingShape::text,
          std::move(wanted),
          [=](Settings& settings, const Texts& texts) {
            for (const auto& [word, value] : words) {
              if (texts.size() != 1 || texts[0] != word) continue;
              get(settings) = value;
              return true;
            }
            return false;
          },
          [=](const Settings& settings) {
            for (const auto& [word, value] : words) {
              if (get(settings) == value) return quoted(word);
            }
            return std::string{};
          },
          [=](Settings& to, const Settings& from) { get(to) = get(from); },
          std::move(all)};
}

template <typename Get>
Setting list(std::string_view key, Get get, bool (*allowed)(const std::string&), std::string wanted,
             std::string_view help) {
  return {key,
          help,
          SettingShape::text_list,
          std::move(wanted),
          [=](Settings& settings, const Texts& texts) {
            for (const std::string& text : texts) {
              if (!allowed(text)) return false;
            }
            get(settings) = texts;
            return true;
          },
          [=](const Settings& settings) { return shown_list(get(settings)); },
          [=](Settings& to, const Settings& from) { get(to) = get(from); }};
}

/// From one to `count_max` numbers.
template <typename Get>
Setting number_list(std::string_view key, Get get, std::int64_t min, std::int64_t max, std::size_t count_max,
                    std::string_view help) {
  return {key,
          help,
          SettingShape::number_list,
          "a list of 1 to " + std::to_string(count_max) + " whole numbers " + range_text(min, max),
          [=](Settings& settings, const Texts& texts) {
            std::vector<std::int64_t> numbers;
            for (const std::string& text : texts) {
              const auto value = parse_number(text);
              if (!value || *value < min || *value > max) return false;
              numbers.push_back(*value);
            }
            if (numbers.empty() || numbers.size() > count_max) return false;
            get(settings) = std::move(numbers);
            return true;
          },
          [=](const Settings& settings) { return shown_list(get(settings)); },
          [=](Settings& to, const Settings& from) { get(to) = get(from); }};
}

}  // namespace carillon::app::kinds
