#include "app/idempotency_key.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace carillon::app {
namespace {

constexpr std::string_view field_name = "Idempotency-Key";

net::http::Problem problem(std::string_view what) {
  return {400, "invalid_idempotency_key", "The Idempotency-Key " + std::string(what) + ".", {}, 0};
}

/// RFC 8941, section 3.3.3; none for what is no such string.
std::optional<std::string> unquoted(std::string_view text) {
  if (text.size() < 2 || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c < 0x20 || c > 0x7e || c == '"') return std::nullopt;
    if (c == '\\') {
      if (++i == text.size()) return std::nullopt;
      c = text[i];
      if (c != '"' && c != '\\') return std::nullopt;
    }
    plain += c;
  }
  return plain;
}

bool is_bare(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != ','; });
}

}  // namespace

std::variant<std::optional<std::string>, net::http::Problem> read_idempotency_key(const net::http::Request& request,
                                                                                  std::size_t bytes_max) {
  std::optional<std::string_view> text;
  for (const net::http::Field& field : request.fields) {
    if (!net::http::same_name(field.name, field_name)) continue;
    if (text) return problem("stands more than once");
    text = field.value;
  }
  if (!text) return std::optional<std::string>{};
  std::optional<std::string> key;
  if (text->starts_with('"')) {
    key = unquoted(*text);
    if (!key) return problem("begins with a quote but is no string as RFC 8941 has it, like \"8e03978e-40d5\"");
  } else if (is_bare(*text)) {
    key = *text;
  } else {
    return problem("has characters that may not stand in it without quotes");
  }
  if (key->empty()) return problem("is empty");
  if (key->size() > bytes_max) {
    return problem("has " + std::to_string(key->size()) + " characters; at most " + std::to_string(bytes_max) +
                   " are taken");
  }
  return key;
}

}  // namespace carillon::app
