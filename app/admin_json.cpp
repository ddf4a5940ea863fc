#include "app/admin_json.h"

#include <algorithm>

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

template <typename Element, typename ToJson>
std::string page_json(std::string_view name, const std::vector<Element>& elements, std::size_t limit, ToJson to_json) {
  std::string out = "{\"";
  out.append(name).append("\":[");
  const std::size_t count = std::min(elements.size(), limit);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    out += to_json(elements[i]);
  }
  out += R"(],"next_cursor":)";
  if (elements.size() > limit) {
    append_string(out, to_text(elements[limit - 1].id));
  } else {
    out += "null";
  }
  out += '}';
  return out;
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

std::string accounts_json(const std::vector<hub::Account>& accounts, std::size_t limit) {
  return page_json("accounts", accounts, limit, account_json);
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
  out += R"(,"last_used_at":)";
  append_time(out, key.last_used_at);
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

std::string keys_json(const std::vector<hub::Key>& keys, std::size_t limit, hub::UnixMs now) {
  return page_json("keys", keys, limit, [now](const hub::Key& key) { return key_json(key, now); });
}

}  // namespace carillon::app
