#include "app/admin_json.h"

#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::append_string;

void append_time(std::string& out, std::optional<hub::UnixMs> time) {
  if (time) {
    append_string(out, hub::rfc3339_ms(*time));
  } else {
    out += "null";
  }
}

std::string_view status_text(const hub::Key& key, hub::UnixMs now) {
  if (key.status == hub::KeyStatus::active && key.expires_at && *key.expires_at <= now) return "expired";
  return to_text(key.status);
}

}  // namespace

std::string account_json(const hub::Account& account) {
  std::string out = R"({"id":)";
  append_string(out, to_text(account.id));
  out += R"(,"name":)";
  append_string(out, account.name);
  out += R"(,"status":)";
  append_string(out, to_text(account.status));
  out += R"(,"created_at":)";
  append_time(out, account.created_at);
  out += '}';
  return out;
}

std::string accounts_json(const std::vector<hub::Account>& accounts) {
  std::string out = R"({"accounts":[)";
  for (const hub::Account& account : accounts) {
    if (&account != &accounts.front()) out += ',';
    out += account_json(account);
  }
  out += "]}";
  return out;
}

std::string key_json(const hub::Key& key, hub::UnixMs now, const KeyExtras& extras) {
  std::string out = R"({"id":)";
  append_string(out, to_text(key.id));
  out += R"(,"account":)";
  append_string(out, key.account_name);
  out += R"(,"role":)";
  append_string(out, to_text(key.role));
  out += R"(,"name":)";
  append_string(out, key.name);
  out += R"(,"status":)";
  append_string(out, status_text(key, now));
  out += R"(,"created_at":)";
  append_time(out, key.created_at);
  out += R"(,"expires_at":)";
  append_time(out, key.expires_at);
  if (!extras.secret.empty()) {
    out += R"(,"key":)";
    append_string(out, extras.secret);
  }
  if (extras.previous_valid_until) {
    out += R"(,"previous_valid_until":)";
    append_time(out, extras.previous_valid_until);
  }
  out += '}';
  return out;
}

std::string keys_json(const std::vector<hub::Key>& keys, hub::UnixMs now) {
  std::string out = R"({"keys":[)";
  for (const hub::Key& key : keys) {
    if (&key != &keys.front()) out += ',';
    out += key_json(key, now);
  }
  out += "]}";
  return out;
}

}  // namespace carillon::app
