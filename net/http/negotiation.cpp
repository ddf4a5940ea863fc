#include "net/http/negotiation.h"

#include <optional>

#include "net/http/field_list.h"
#include "net/http/message.h"

namespace carillon::net::http {
namespace {

/// A weight in thousandths (RFC 9110, section 12.4.2): `0`, `1`, and up to three digits behind a point.
std::optional<int> read_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int weight = text[0] == '1' ? 1000 : 0;
  int worth = 100;
  for (const char c : text.substr(text.size() > 1 ? 2 : 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    weight += (c - '0') * worth;
    worth /= 10;
  }
  if (weight > 1000) return std::nullopt;
  return weight;
}

}  // namespace

bool is_json_type(std::string_view content_type) {
  if (!same_name(take_until(content_type, ';'), "application/json")) return false;
  while (!content_type.empty()) {
    std::string_view parameter = take_until(content_type, ';');
    if (parameter.empty()) continue;
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || !same_name(parameter.substr(0, equals), "charset")) return false;
    std::string_view value = parameter.substr(equals + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    if (!same_name(value, "utf-8")) return false;
  }
  return true;
}

bool is_unsaid_type(std::string_view content_type) {
  return same_name(take_until(content_type, ';'), "application/x-www-form-urlencoded");
}

bool is_identity(std::string_view content_encoding) {
  return content_encoding.empty() || same_name(content_encoding, "identity");
}

std::optional<Weighted> take_weighted(std::string_view& list) {
  std::string_view element = take_until(list, ',');
  Weighted weighted{take_until(element, ';')};
  while (!element.empty()) {
    const std::string_view parameter = take_until(element, ';');
    if (parameter.size() < 2 || !same_name(parameter.substr(0, 2), "q=")) {
      weighted.has_parameters = true;
      continue;
    }
    const auto weight = read_weight(parameter.substr(2));
    if (!weight) return std::nullopt;
    weighted.weight = *weight;
  }
  return weighted;
}

void AcceptedCodings::add(std::string_view list) {
  while (!list.empty()) {
    const auto element = take_weighted(list);
    if (!element || element->has_parameters) continue;
    const auto& [coding, weight, ignored] = *element;
    if (same_name(coding, "gzip") || same_name(coding, "x-gzip")) {
      gzip_ = weight;
    } else if (same_name(coding, "identity")) {
      identity_ = weight;
    } else if (coding == "*") {
      any_ = weight;
    }
  }
}

AcceptedCodings::Choice AcceptedCodings::choice() const {
  const int gzip = gzip_ != not_said ? gzip_ : any_;
  if (gzip <= 0) return Choice::plain;
  const int identity = identity_ != not_said ? identity_ : any_;
  if (identity == 0) return Choice::gzip_only;
  return identity > gzip ? Choice::plain : Choice::gzip_if_worth;
}

void AcceptedType::add(std::string_view list) {
  const std::string_view kind = type_.substr(0, type_.find('/') + 1);
  while (!list.empty()) {
    const auto range = take_weighted(list);
    if (!range) continue;
    Match match = Match::none;
    if (same_name(range->name, type_)) {
      match = Match::type;
    } else if (range->name.ends_with("/*") && same_name(range->name.substr(0, range->name.size() - 1), kind)) {
      match = Match::kind;
    } else if (range->name == "*/*") {
      match = Match::any;
    }
    asked_ = true;
    if (match == Match::none || match < match_) continue;
    match_ = match;
    weight_ = range->weight;
  }
}

}  // namespace carillon::net::http
