#include "channels/webhook/header_rules.h"

#include <algorithm>
#include <array>

#include "net/http/head.h"
#include "net/http/message.h"

namespace carillon::channels::webhook {
namespace {

using net::http::same_name;

/// Of a connection: they are not passed on.
constexpr std::array<std::string_view, 6> hop_by_hop = {"connection", "keep-alive",        "te",
                                                        "trailer",    "transfer-encoding", "upgrade"};
/// What the hub says itself, of the request and of its body.
constexpr std::array<std::string_view, 8> said_by_the_hub = {
    "host", "content-length", "content-encoding", "content-type", "expect", "user-agent", "traceparent", "tracestate"};

bool begins_with(std::string_view name, std::string_view beginning) {
  return same_name(name.substr(0, beginning.size()), beginning);
}

template <std::size_t count>
bool is_among(std::string_view name, const std::array<std::string_view, count>& names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return same_name(name, one); });
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

}  // namespace

std::optional<std::string> header_name_fault(std::string_view name) {
  if (name.size() > header_name_bytes_max || !net::http::is_token(name)) {
    return "is no name of a header: 1 to " + std::to_string(header_name_bytes_max) +
           " letters, digits and !#$%&'*+-.^_`|~";
  }
  if (is_among(name, hop_by_hop) || begins_with(name, "proxy-")) return "belongs to a connection, not to a request";
  if (is_among(name, said_by_the_hub) || begins_with(name, "webhook-")) return "is said by the hub itself";
  return std::nullopt;
}

std::optional<std::string> header_value_fault(std::string_view value) {
  const bool sound =
      !value.empty() && value.size() <= header_value_bytes_max &&
      std::all_of(value.begin(), value.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
  if (!sound) {
    return "must be 1 to " + std::to_string(header_value_bytes_max) + " characters of ASCII without control characters";
  }
  if (is_blank(value.front()) || is_blank(value.back())) return "must not begin or end with a blank";
  return std::nullopt;
}

const hub::HeaderField* find_header(const std::vector<hub::HeaderField>& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(),
                                  [&](const hub::HeaderField& header) { return same_name(header.name, name); });
  return found == headers.end() ? nullptr : &*found;
}

}  // namespace carillon::channels::webhook
