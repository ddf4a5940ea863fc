#include "net/http/trace_context.h"

#include <algorithm>
#include <array>
#include <vector>

namespace carillon::net::http {
namespace {

constexpr std::size_t version_at = 0;
constexpr std::size_t id_at = 3;
constexpr std::size_t id_digits = 32;
constexpr std::size_t parent_at = 36;
constexpr std::size_t parent_digits = 16;
constexpr std::size_t flags_at = 53;
constexpr std::size_t flags_digits = 2;
constexpr std::size_t parent_bytes = 55;  ///< a whole traceparent of version 00
constexpr std::size_t text_bytes = id_digits + 1 + flags_digits;

constexpr std::size_t members_max = 32;
constexpr std::size_t member_bytes_large = 128;
constexpr std::size_t key_bytes_max = 256;
constexpr std::size_t value_bytes_max = 256;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool all_hex(std::string_view text) { return std::all_of(text.begin(), text.end(), is_hex); }
bool all_zero(std::string_view text) { return text.find_first_not_of('0') == std::string_view::npos; }

int digit_value(char c) { return is_digit(c) ? c - '0' : c - 'a' + 10; }

/// The one traceparent there is, if it is sound.
std::optional<std::string_view> find_parent(std::span<const Field> fields) {
  std::optional<std::string_view> found;
  for (const Field& field : fields) {
    if (field.name.size() != 11 || !same_name(field.name, "traceparent")) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  if (!found || found->size() < parent_bytes) return std::nullopt;
  const std::string_view text = *found;
  const std::string_view version = text.substr(version_at, 2);
  const bool dashes = text[2] == '-' && text[parent_at - 1] == '-' && text[flags_at - 1] == '-';
  if (!dashes || !all_hex(version) || version == "ff") return std::nullopt;
  if (text.size() > parent_bytes && (version == "00" || text[parent_bytes] != '-')) return std::nullopt;
  const std::string_view id = text.substr(id_at, id_digits);
  const std::string_view parent = text.substr(parent_at, parent_digits);
  if (!all_hex(id) || all_zero(id) || !all_hex(parent) || all_zero(parent)) return std::nullopt;
  if (!all_hex(text.substr(flags_at, flags_digits))) return std::nullopt;
  return text;
}

bool is_key_char(char c) { return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/'; }

/// `vendor`, or `tenant@system`.
bool is_key(std::string_view key) {
  const auto all_chars = [](std::string_view part) { return std::all_of(part.begin(), part.end(), is_key_char); };
  const std::size_t at = key.find('@');
  if (at == std::string_view::npos) {
    return !key.empty() && key.size() <= key_bytes_max && is_lower(key.front()) && all_chars(key);
  }
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return !tenant.empty() && tenant.size() <= 241 && (is_lower(tenant.front()) || is_digit(tenant.front())) &&
         all_chars(tenant) && !system.empty() && system.size() <= 14 && is_lower(system.front()) && all_chars(system);
}

bool is_value(std::string_view value) {
  return !value.empty() && value.size() <= value_bytes_max && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The members of all tracestate fields in their order; none where one of them is not sound.
std::vector<std::string_view> read_members(std::span<const Field> fields) {
  std::vector<std::string_view> members;
  for (const Field& field : fields) {
    if (field.name.size() != 10 || !same_name(field.name, "tracestate")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      const std::string_view member = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (member.empty()) continue;
      const std::size_t equals = member.find('=');
      if (equals == std::string_view::npos || !is_key(member.substr(0, equals)) ||
          !is_value(member.substr(equals + 1)) || members.size() == members_max) {
        return {};
      }
      members.push_back(member);
    }
  }
  return members;
}

std::size_t joined_bytes(const std::vector<std::string_view>& members) {
  std::size_t bytes = 0;
  for (const std::string_view member : members) bytes += member.size() + (bytes > 0 ? 1 : 0);
  return bytes;
}

std::string read_state(std::span<const Field> fields) {
  std::vector<std::string_view> members = read_members(fields);
  while (joined_bytes(members) > TraceContext::state_bytes_max) {
    const auto large = std::find_if(members.rbegin(), members.rend(),
                                    [](std::string_view member) { return member.size() > member_bytes_large; });
    members.erase(large == members.rend() ? members.end() - 1 : large.base() - 1);
  }
  std::string state;
  for (const std::string_view member : members) state.append(state.empty() ? "" : ",").append(member);
  return state;
}

}  // namespace

std::optional<TraceContext> TraceContext::read(std::span<const Field> fields) {
  const auto parent = find_parent(fields);
  if (!parent) return std::nullopt;
  TraceContext context;
  context.id = parent->substr(id_at, id_digits);
  context.sampled = (digit_value((*parent)[flags_at + 1]) & 1) != 0;
  context.state = read_state(fields);
  return context;
}

std::optional<TraceContext> TraceContext::from_text(std::string_view text) {
  if (text.size() < text_bytes || !all_hex(text.substr(0, id_digits)) || text[id_digits] != '-') return std::nullopt;
  TraceContext context;
  context.id = text.substr(0, id_digits);
  context.sampled = text[text_bytes - 1] == '1';
  context.state = text.substr(text_bytes);
  return context;
}

std::string TraceContext::traceparent(std::uint64_t parent_id) const {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string parent(parent_digits, '0');
  if (parent_id == 0) parent_id = 1;  // 0 stands for none
  for (std::size_t i = parent_digits; i-- > 0; parent_id >>= 4U) parent[i] = digits[parent_id & 0x0FU];
  return "00-" + id + "-" + parent + flags();
}

std::string_view trace_id_of(std::span<const Field> fields) {
  const auto parent = find_parent(fields);
  return parent ? parent->substr(id_at, id_digits) : std::string_view();
}

}  // namespace carillon::net::http
