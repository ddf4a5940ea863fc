#include "hub/webhook.h"

namespace carillon::hub {

std::string_view to_text(EndpointStatus status) { return status == EndpointStatus::enabled ? "enabled" : "disabled"; }

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
