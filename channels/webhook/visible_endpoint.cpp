#include "channels/webhook/visible_endpoint.h"

namespace carillon::channels::webhook {

std::optional<hub::Endpoint> find_visible_endpoint(hub::Reader& reader, const hub::Ownership& ownership,
                                                   const hub::Principal& who, std::string_view id) {
  const auto parsed = hub::parse_id<hub::EndpointTag>(id);
  auto endpoint = parsed ? reader.find_endpoint(*parsed) : std::nullopt;
  if (endpoint && !ownership.may_see(who, endpoint->owner)) endpoint.reset();
  return endpoint;
}

}  // namespace carillon::channels::webhook
