#include "app/admin_bodies.h"

#include <algorithm>
#include <utility>

#include "hub/json.h"

namespace carillon::app {
namespace {

using channels::BodyReader;
using hub::json::Kind;
using hub::json::Value;

constexpr const char* account_name_rule = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ - (and not '.' or '..')";

/// The name of an account that must be named.
std::string take_account_name(BodyReader& reader, std::string_view name) {
  const Value* value = reader.take(name, Kind::string);
  if (value == nullptr) {
    if (!reader.has(name) || reader.is_null(name)) reader.refuse(name, "is missing");
    return {};
  }
  std::string text = value->string();
  if (!is_account_name(text)) reader.refuse(name, account_name_rule);
  return text;
}

constexpr hub::UnixMs ms_per_s = 1000;

std::optional<hub::UnixMs> take_end(BodyReader& reader, hub::UnixMs now) {
  const auto in_s = reader.take_integer("expires_in_s", 1, expires_in_s_max);
  const auto text = reader.take_string("expires_at");
  if (!text) return in_s ? std::optional(now + *in_s * ms_per_s) : std::nullopt;
  const auto at = hub::parse_rfc3339(*text);
  if (!at) {
    reader.refuse("expires_at", "must be a time as RFC 3339 has it, like 2027-11-23T17:42:05Z");
  } else if (*at <= now || *at > now + expires_in_s_max * ms_per_s) {
    reader.refuse("expires_at", "must be later than now, and by at most 100 years");
  } else if (reader.has("expires_in_s") && !reader.is_null("expires_in_s")) {
    reader.refuse("expires_at", "goes not together with expires_in_s");
  }
  return at;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace

bool is_account_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= account_name_bytes_max && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), allowed);
}

Read<NewAccountBody> read_new_account(std::string_view body) {
  return channels::read_body<NewAccountBody>(body, [](BodyReader& reader) {
    NewAccountBody account;
    account.name = take_account_name(reader, "name");
    return reader.end(std::move(account));
  });
}

Read<NewKeyBody> read_new_key(std::string_view body, hub::UnixMs now) {
  return channels::read_body<NewKeyBody>(body, [now](BodyReader& reader) {
    NewKeyBody key;
    key.account = take_account_name(reader, "account");
    if (const Value* value = reader.take("role", Kind::string)) {
      if (const auto role = hub::parse_role(value->string())) {
        key.role = *role;
      } else {
        reader.refuse("role", "must be one of client, worker, admin");
      }
    }
    if (const Value* value = reader.take("name", Kind::string)) {
      key.name = value->string();
      if (key.name.size() > key_name_bytes_max || has_control_character(key.name)) {
        reader.refuse("name",
                      "must be at most " + std::to_string(key_name_bytes_max) + " bytes without control characters");
      }
    }
    key.expires_at = take_end(reader, now);
    return reader.end(std::move(key));
  });
}

Read<RotationBody> read_rotation(std::string_view body) {
  return channels::read_optional_body<RotationBody>(body, [](BodyReader& reader) {
    return reader.end(RotationBody{reader.take_integer("overlap_s", 0, overlap_s_max).value_or(overlap_s_default)});
  });
}

}  // namespace carillon::app
