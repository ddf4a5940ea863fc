#include "app/admin_commands.h"

#include <limits>
#include <vector>

#include "app/command_hub.h"
#include "app/commands.h"
#include "app/pages.h"
#include "app/period.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::Object;

constexpr std::size_t elements_per_page = 1'000;

/// `filters` are members of a query, each with an & behind it.
int list(const Settings& settings, const OutputOptions& output, const std::string& what, const std::string& filters,
         const std::vector<std::string>& members) {
  CommandHub hub(settings);
  Pages pages(hub, "/admin/" + what + "?" + filters, what);
  pages.read(std::numeric_limits<std::size_t>::max(), elements_per_page);
  return pages.print(output, members);
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
  return list(settings, output, "accounts", {}, {"name", "status", "created_at", "id"});
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
  if (!wanted.expires_at.empty()) {
    body += R"(,"expires_at":)";
    hub::json::append_string(body, wanted.expires_at);
  }
  return print_key(CommandHub(settings).post("/admin/keys", body + "}"), output, "was made; it is shown this once:");
}

int key_list(const Settings& settings, const KeyList& wanted, const OutputOptions& output) {
  std::string filters;
  if (!wanted.account.empty()) filters += "account=" + url_part(wanted.account) + "&";
  if (!wanted.role.empty()) filters += "role=" + url_part(wanted.role) + "&";
  return list(settings, output, "keys", filters,
              {"id", "account", "role", "status", "name", "created_at", "last_used_at", "expires_at"});
}

int key_set_status(const Settings& settings, const std::string& id, bool enabled, const OutputOptions& output) {
  return change(settings, output, "/keys/" + url_part(id) + (enabled ? "/enable" : "/disable"), {},
                id + (enabled ? " is enabled" : " is disabled"));
}

int key_rotate(const Settings& settings, const std::string& id, const std::string& overlap,
               const OutputOptions& output) {
  std::string body;
  if (const auto overlap_s = parse_period_s(overlap)) body = R"({"overlap_s":)" + std::to_string(*overlap_s) + "}";
  const std::string answer = CommandHub(settings).post("/admin/keys/" + url_part(id) + "/rotate", body);
  return print_key(answer, output,
                   "has a new secret, shown this once; the old one is taken until " +
                       show(parse_answer(answer), "previous_valid_until") + ":");
}

int key_revoke(const Settings& settings, const std::string& id, const OutputOptions& output) {
  return change(settings, output, "/keys/" + url_part(id) + "/revoke", {}, id + " is revoked");
}

}  // namespace carillon::app
