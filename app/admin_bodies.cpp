#include "app/admin_bodies.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "channels/refusal.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::Kind;
using hub::json::Value;
using net::http::Invalid;
using net::http::Problem;

constexpr const char* account_name_rule = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ - (and not '.' or '..')";

/// RFC 6901, section 3.
std::string pointer_to(std::string_view member) {
  std::string pointer = "/";
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

/// Takes the known members out of a body, one by one; what is left at the end is unknown.
class BodyReader {
 public:
  explicit BodyReader(hub::json::Object body) : body_(std::move(body)) {}

  /// The member; null when it is not there, or is null, or is of another kind (which is noted).
  const Value* take(std::string_view name, Kind kind) {
    known_.push_back(name);
    const Value* value = body_.find(name);
    if (value == nullptr || value->is(Kind::null)) return nullptr;
    if (value->is(kind)) return value;
    refuse(name, "must be a JSON " + std::string(to_text(kind)) + ", not " + std::string(to_text(value->kind)));
    return nullptr;
  }

  std::string take_account_name(std::string_view name) {
    const std::size_t before = invalid_.size();
    const Value* value = take(name, Kind::string);
    if (value == nullptr) {
      if (invalid_.size() == before) refuse(name, "is missing");
      return {};
    }
    std::string text = value->string();
    if (!is_account_name(text)) refuse(name, account_name_rule);
    return text;
  }

  std::optional<std::int64_t> take_integer(std::string_view name, std::int64_t min, std::int64_t max) {
    const Value* value = take(name, Kind::number);
    if (value == nullptr) return std::nullopt;
    const auto number = value->integer();
    if (number && *number >= min && *number <= max) return number;
    refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
    return std::nullopt;
  }

  void refuse(std::string_view name, std::string detail) { invalid_.push_back({pointer_to(name), std::move(detail)}); }

  /// What was read, when nothing was wrong with it.
  template <typename T>
  Read<T> end(T read) {
    for (const auto& member : body_.members()) {
      if (std::find(known_.begin(), known_.end(), member.name) == known_.end()) {
        refuse(member.name, "is not known here");
      }
    }
    if (!invalid_.empty()) return channels::problem_for(std::move(invalid_));
    return read;
  }

 private:
  hub::json::Object body_;
  std::vector<std::string_view> known_;
  std::vector<Invalid> invalid_;
};

/// Parses the body and reads it by `members`, which is given a BodyReader.
template <typename T, typename Members>
Read<T> read(std::string_view body, Members&& members) {
  auto parsed = hub::json::parse_object(body);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return channels::problem_for(*error);
  BodyReader reader(std::move(std::get<hub::json::Object>(parsed)));
  return members(reader);
}

std::string_view or_empty_object(std::string_view body) { return body.empty() ? "{}" : body; }

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
  return read<NewAccountBody>(body, [](BodyReader& reader) {
    NewAccountBody account;
    account.name = reader.take_account_name("name");
    return reader.end(std::move(account));
  });
}

Read<NewKeyBody> read_new_key(std::string_view body) {
  return read<NewKeyBody>(body, [](BodyReader& reader) {
    NewKeyBody key;
    key.account = reader.take_account_name("account");
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
    key.expires_in_s = reader.take_integer("expires_in_s", 1, expires_in_s_max);
    return reader.end(std::move(key));
  });
}

Read<RotationBody> read_rotation(std::string_view body) {
  return read<RotationBody>(or_empty_object(body), [](BodyReader& reader) {
    return reader.end(RotationBody{reader.take_integer("overlap_s", 0, overlap_s_max).value_or(overlap_s_default)});
  });
}

Read<NoBody> read_no_members(std::string_view body) {
  return read<NoBody>(or_empty_object(body), [](BodyReader& reader) { return reader.end(NoBody{}); });
}

}  // namespace carillon::app
