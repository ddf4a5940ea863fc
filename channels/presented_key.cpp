#include "channels/presented_key.h"

namespace carillon::channels {

std::string_view presented_key(const net::http::Request& request) {
  constexpr std::string_view bearer = "Bearer ";
  std::string_view from_authorization;
  for (const auto& field : request.fields) {
    if (field.name.size() == 9 && net::http::same_name(field.name, "X-API-Key")) return field.value;
    if (field.name.size() == 13 && net::http::same_name(field.name, "Authorization") &&
        field.value.size() > bearer.size() && net::http::same_name(field.value.substr(0, bearer.size()), bearer)) {
      from_authorization = field.value.substr(bearer.size());
      while (from_authorization.starts_with(' ')) from_authorization.remove_prefix(1);
    }
  }
  return from_authorization;
}

}  // namespace carillon::channels
