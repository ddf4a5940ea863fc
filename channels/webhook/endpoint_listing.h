// Pages of endpoints: what a query asks for, and the page as an answer.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "channels/query_reader.h"
#include "hub/id.h"
#include "hub/webhook.h"

namespace carillon::channels::webhook {

struct EndpointListing {
  bool for_jobs = false;
  hub::EndpointId after;
  std::size_t limit = 100;
};

/// ?kind=registered|jobs&limit=1…1000&cursor=…
EndpointListing take_endpoint_listing(QueryReader& query);

/// {"webhooks":[…],"next_cursor":…}: `next` is the last id that was looked at, where there may be more behind it.
std::string endpoint_page_json(const std::vector<std::string>& endpoints, std::optional<hub::EndpointId> next);

}  // namespace carillon::channels::webhook
