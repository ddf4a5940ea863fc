#include "hub/webhook.h"

#include "hub/json.h"

namespace carillon::hub {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += out.empty() ? '{' : ',';
  json::append_string(out, name);
  out += ':';
  json::append_string(out, value);
}

}  // namespace

std::string_view to_text(EndpointStatus status) { return status == EndpointStatus::enabled ? "enabled" : "disabled"; }

std::string_view to_text(Signing signing) { return signing == Signing::hmac ? "hmac" : "ed25519"; }

Text disabled_event_data(const Endpoint& endpoint) {
  std::string data;
  append_member(data, "webhook_id", to_text(endpoint.id));
  append_member(data, "url", endpoint.url);
  append_member(data, "reason", endpoint.disabled_reason);
  data += '}';
  return make_text(std::move(data));
}

Text test_event_data(EndpointId endpoint) {
  std::string data;
  append_member(data, "webhook_id", to_text(endpoint));
  data += '}';
  return make_text(std::move(data));
}

std::string_view to_text(DeliveryState state) {
  switch (state) {
    case DeliveryState::pending:
      return "pending";
    case DeliveryState::delivered:
      return "delivered";
    case DeliveryState::failed:
      return "failed";
  }
  return {};
}

std::string to_text(const MessageId& id) {
  static constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  __extension__ unsigned __int128 number = 0;
  for (const std::uint8_t byte : id) number = number << 8U | byte;
  std::string text = "msg_0000000000000000000000";  // 62^22 > 2^128
  for (std::size_t i = text.size(); i-- > 4; number /= 62) text[i] = digits[static_cast<std::size_t>(number % 62)];
  return text;
}

}  // namespace carillon::hub
