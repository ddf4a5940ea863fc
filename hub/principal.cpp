#include "hub/principal.h"

namespace carillon::hub {

std::string_view to_text(Role role) {
  switch (role) {
    case Role::client:
      return "client";
    case Role::worker:
      return "worker";
    case Role::admin:
      return "admin";
  }
  return {};
}

std::optional<Role> parse_role(std::string_view text) {
  for (const auto role : {Role::client, Role::worker, Role::admin}) {
    if (to_text(role) == text) return role;
  }
  return std::nullopt;
}

std::string_view to_text(KeyStatus status) { return status == KeyStatus::active ? "active" : "disabled"; }

std::string_view to_text(AccountStatus status) { return status == AccountStatus::active ? "active" : "suspended"; }

}  // namespace carillon::hub
