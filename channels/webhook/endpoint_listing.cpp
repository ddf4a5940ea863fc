#include "channels/webhook/endpoint_listing.h"

#include "hub/json.h"

namespace carillon::channels::webhook {
namespace {

constexpr std::size_t limit_max = 1'000;

}  // namespace

EndpointListing take_endpoint_listing(QueryReader& query) {
  EndpointListing listing;
  if (const auto kind = query.take("kind")) {
    listing.for_jobs = *kind == "jobs";
    if (*kind != "jobs" && *kind != "registered") query.refuse("kind", "must be one of registered, jobs");
  }
  listing.limit = query.take_limit("limit", listing.limit, limit_max);
  listing.after = query.take_cursor<hub::EndpointTag>().value_or(hub::EndpointId{});
  return listing;
}

std::string endpoint_page_json(const std::vector<std::string>& endpoints, std::optional<hub::EndpointId> next) {
  std::string body = R"({"webhooks":[)";
  for (const std::string& endpoint : endpoints) {
    if (&endpoint != &endpoints.front()) body += ',';
    body += endpoint;
  }
  body += R"(],"next_cursor":)";
  next ? hub::json::append_string(body, to_text(*next)) : void(body += "null");
  return body + "}";
}

}  // namespace carillon::channels::webhook
