#include "app/admin_commands.h"

#include <iostream>
#include <vector>

#include "app/command_hub.h"
#include "app/commands.h"
#include "app/period.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::Object;

int list(const Settings& settings, const OutputOptions& output, const std::string& what,
         const std::vector<std::string>& members) {
  const std::string answer = CommandHub(settings).get("/admin/" + what);
  if (output.json) {
    std::cout << answer << "\n";
  } else {
    std::cout << table_of(hub::json::elements_of(*parse_answer(answer).find(what)), members);
  }
  return exit_ok;
}

/// Asks for a change and prints the hub's answer in JSON, or `note` for people.
int change(const Settings& settings, const OutputOptions& output, const std::string& path, const std::string& body,
           const std::string& note) {
  return print_change(CommandHub(settings).post("/admin" + path, body), output, note);
}

/// A key that was just made or rotated: alone on standard output, with a note beside it.
int print_key(const std::string& answer, const OutputOptions& output, const std::string& note) {
  const Object key = parse_answer(answer);
  return print_word(answer, output,
                    show(key, "id") + " (" + show(key, "role") + " of " + show(key, "account") + ") " + note,
                    show(key, "key"));
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
  return change(settings, output, "/accounts/" + url_part(name) + (suspended ? "/suspend" : "/resume"), {},
                "account '" + name + (suspended ? "' is suspended" : "' is active"));
}

int key_create(const Settings& settings, const KeyCreate& wanted, const OutputOptions& output) {
  std::string body = R"({"account":)";
  hub::json::append_string(body, wanted.account);
  body += R"(,"role":)";
  hub::json::append_string(body, wanted.role);
  body += R"(,"name":)";
  hub::json::append_string(body, wanted.name);
  if (!wanted.expires_in.empty())
    body += R"(,"expires_in_s":)" + std::to_string(parse_period_s(wanted.expires_in).value_or(0));
  return print_key(CommandHub(settings).post("/admin/keys", body + "}"), output, "was made; it is shown this once:");
}

int key_list(const Settings& settings, const OutputOptions& output) {
  return list(settings, output, "keys", {"id", "account", "role", "status", "name", "created_at", "expires_at"});
}

int key_set_status(const Settings& settings, const std::string& id, bool enabled, const OutputOptions& output) {
  return change(settings, output, "/keys/" + url_part(id) + (enabled ? "/enable" : "/disable"), {},
                id + (enabled ? " is enabled" : " is disabled"));
}

int key_rotate(const Settings& settings, const std::string& id, const OutputOptions& output) {
  const std::string answer = CommandHub(settings).post("/admin/keys/" + url_part(id) + "/rotate");
  return print_key(answer, output,
                   "has a new secret, shown this once; the old one is taken until " +
                       show(parse_answer(answer), "previous_valid_until") + ":");
}

int key_revoke(const Settings& settings, const std::string& id, const OutputOptions& output) {
  return change(settings, output, "/keys/" + url_part(id) + "/revoke", {}, id + " is revoked");
}

}  // namespace carillon::app
