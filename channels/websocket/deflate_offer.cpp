#include "channels/websocket/deflate_offer.h"

#include <vector>

#include "net/http/head.h"

namespace carillon::channels::websocket {
namespace {

constexpr std::string_view extension_name = "permessage-deflate";
constexpr int window_bits_min = 8;

struct Parameter {
  std::string_view name;
  std::optional<std::string> value;
};

struct Offer {
  std::string_view extension;
  std::vector<Parameter> parameters;
};

/// Reads a field's value from left to right.
class OfferReader {
 public:
  explicit OfferReader(std::string_view text) : rest_(text) {}

  /// The next offer; none at the end, or where well_formed() is false.
  std::optional<Offer> next() {
    while (skip(',')) {
    }
    if (rest_.empty()) return std::nullopt;
    Offer offer;
    offer.extension = token();
    while (well_formed_ && skip(';')) {
      Parameter parameter{token(), std::nullopt};
      if (skip('=')) parameter.value = value();
      offer.parameters.push_back(std::move(parameter));
    }
    if (!rest_.empty() && !rest_.starts_with(',')) well_formed_ = false;
    if (!well_formed_) return std::nullopt;
    return offer;
  }

  bool well_formed() const { return well_formed_; }

 private:
  void skip_blanks() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }

  bool skip(char mark) {
    skip_blanks();
    if (!rest_.starts_with(mark)) return false;
    rest_.remove_prefix(1);
    skip_blanks();
    return true;
  }

  std::string_view token() {
    std::size_t length = 0;
    while (length < rest_.size() && net::http::is_token(rest_.substr(length, 1))) ++length;
    if (length == 0) well_formed_ = false;
    const std::string_view text = rest_.substr(0, length);
    rest_.remove_prefix(length);
    skip_blanks();
    return text;
  }

  /// A token, or one in quotes: what is in them must be a token too (RFC 6455, section 9.1).
  std::string value() {
    if (!rest_.starts_with('"')) return std::string(token());
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) break;
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    if (!skip('"') || !net::http::is_token(text)) well_formed_ = false;
    return text;
  }

  std::string_view rest_;
  bool well_formed_ = true;
};

/// 8 to 15, without a leading zero (RFC 7692, section 7.1.2); none for all else.
std::optional<int> read_window_bits(std::string_view text) {
  if (text == "8") return 8;
  if (text == "9") return 9;
  if (text.size() != 2 || text[0] != '1' || text[1] < '0' || text[1] > '5') return std::nullopt;
  return 10 + (text[1] - '0');
}

static_assert(window_bits_min == 8 && window_bits_max == 15, "read_window_bits() takes these");

/// None for an offer that cannot be met.
std::optional<DeflateAgreement> agree(const Offer& offer) {
  if (offer.extension != extension_name) return std::nullopt;
  DeflateAgreement agreement;
  for (const Parameter& parameter : offer.parameters) {
    for (const Parameter& other : offer.parameters) {
      if (&other != &parameter && other.name == parameter.name) return std::nullopt;
    }
    if (parameter.name == "server_no_context_takeover" || parameter.name == "client_no_context_takeover") {
      if (parameter.value) return std::nullopt;
    } else if (parameter.name == "server_max_window_bits") {
      if (!parameter.value) return std::nullopt;
      agreement.server_window_bits = read_window_bits(*parameter.value);
      if (!agreement.server_window_bits) return std::nullopt;
    } else if (parameter.name == "client_max_window_bits") {
      // The client lets us choose its window, or says what it will use: the inflater takes any, so nothing is chosen.
      if (parameter.value && !read_window_bits(*parameter.value)) return std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return agreement;
}

}  // namespace

bool agree_on_deflate(std::string_view field_value, std::optional<DeflateAgreement>& agreement) {
  OfferReader offers(field_value);
  while (const auto offer = offers.next()) {
    if (!agreement) agreement = agree(*offer);
  }
  return offers.well_formed();
}

std::string to_field_value(const DeflateAgreement& agreement) {
  std::string value(extension_name);
  value += "; server_no_context_takeover; client_no_context_takeover";
  if (agreement.server_window_bits) {
    value += "; server_max_window_bits=" + std::to_string(*agreement.server_window_bits);
  }
  return value;
}

}  // namespace carillon::channels::websocket
