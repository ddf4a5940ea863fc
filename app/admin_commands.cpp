#include "app/admin_commands.h"

#include <Poco/URI.h>

#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string_view>
#include <variant>
#include <vector>

#include "app/command_hub.h"
#include "app/commands.h"
#include "app/text_table.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::Object;

Object parse(const std::string& answer) {
  auto parsed = hub::json::parse_object(answer);
  if (auto* object = std::get_if<Object>(&parsed)) return std::move(*object);
  throw std::runtime_error("the hub's answer is not what was expected: " + answer);
}

/// A member as text; a dash for what is null or missing.
std::string show(const Object& object, std::string_view member) {
  const auto* value = object.find(member);
  if (value == nullptr || !value->is(hub::json::Kind::string)) return "-";
  std::string text = value->string();
  return text.empty() ? "-" : text;
}

/// One part of a path, whatever a user typed.
std::string path_part(const std::string& text) {
  std::string encoded;
  Poco::URI::encode(text, "/?#%", encoded);
  return encoded;
}

int list(const Settings& settings, const OutputOptions& output, const std::string& what,
         const std::vector<std::string>& members) {
  const std::string answer = CommandHub(settings).get("/" + what);
  if (output.json) {
    std::cout << answer << "\n";
    return exit_ok;
  }
  std::vector<std::vector<std::string>> rows{members};
  const Object object = parse(answer);
  for (const auto& element : hub::json::elements_of(*object.find(what))) {
    const auto one = hub::json::members_of(element);
    auto& row = rows.emplace_back();
    for (const std::string& member : members) row.push_back(show(std::get<Object>(one), member));
  }
  std::cout << text_table(rows);
  return exit_ok;
}

/// Asks for a change and prints the hub's answer in JSON, or `note` for people.
int change(const Settings& settings, const OutputOptions& output, const std::string& path, const std::string& body,
           const std::string& note) {
  const std::string answer = CommandHub(settings).post(path, body);
  (output.json ? std::cout << answer : std::cerr << note) << "\n";
  return exit_ok;
}

/// "30d" in seconds; the command line has checked its form.
std::int64_t seconds_of(const std::string& period) {
  const std::int64_t number = std::stoll(period.substr(0, period.size() - 1));
  switch (period.back()) {
    case 'd':
      return number * 86'400;
    case 'h':
      return number * 3'600;
    case 'm':
      return number * 60;
    default:
      return number;
  }
}

/// A key that was just made or rotated: alone on standard output, with a note beside it.
int print_key(const std::string& answer, const OutputOptions& output, const std::string& note) {
  if (output.json) {
    std::cout << answer << "\n";
    return exit_ok;
  }
  const Object key = parse(answer);
  std::cerr << show(key, "id") << " (" << show(key, "role") << " of " << show(key, "account") << ") " << note << "\n";
  std::cout << show(key, "key") << "\n";
  return exit_ok;
}

}  // namespace

int account_create(const Settings& settings, const std::string& name, const OutputOptions& output) {
  std::string body = R"({"name":)";
  hub::json::append_string(body, name);
  return change(settings, output, "/accounts", body + "}", "account '" + name + "' was made");
}

int account_list(const Settings& settings, const OutputOptions& output) {
  return list(settings, output, "accounts", {"name", "status", "created_at", "id"});
}

int account_set_status(const Settings& settings, const std::string& name, bool suspended, const OutputOptions& output) {
  return change(settings, output, "/accounts/" + path_part(name) + (suspended ? "/suspend" : "/resume"), {},
                "account '" + name + (suspended ? "' is suspended" : "' is active"));
}

int key_create(const Settings& settings, const KeyCreate& wanted, const OutputOptions& output) {
  std::string body = R"({"account":)";
  hub::json::append_string(body, wanted.account);
  body += R"(,"role":)";
  hub::json::append_string(body, wanted.role);
  body += R"(,"name":)";
  hub::json::append_string(body, wanted.name);
  if (!wanted.expires_in.empty()) body += R"(,"expires_in_s":)" + std::to_string(seconds_of(wanted.expires_in));
  return print_key(CommandHub(settings).post("/keys", body + "}"), output, "was made; it is shown this once:");
}

int key_list(const Settings& settings, const OutputOptions& output) {
  return list(settings, output, "keys", {"id", "account", "role", "status", "name", "created_at", "expires_at"});
}

int key_set_status(const Settings& settings, const std::string& id, bool enabled, const OutputOptions& output) {
  return change(settings, output, "/keys/" + path_part(id) + (enabled ? "/enable" : "/disable"), {},
                id + (enabled ? " is enabled" : " is disabled"));
}

int key_rotate(const Settings& settings, const std::string& id, const OutputOptions& output) {
  const std::string answer = CommandHub(settings).post("/keys/" + path_part(id) + "/rotate");
  return print_key(answer, output,
                   "has a new secret, shown this once; the old one is taken until " +
                       show(parse(answer), "previous_valid_until") + ":");
}

int key_revoke(const Settings& settings, const std::string& id, const OutputOptions& output) {
  return change(settings, output, "/keys/" + path_part(id) + "/revoke", {}, id + " is revoked");
}

}  // namespace carillon::app
