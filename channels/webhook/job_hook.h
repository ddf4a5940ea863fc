// The webhook members of a submission: `webhook_url`, with optional `webhook_events` and `webhook_secret`.
//
// Threads: pure.
#pragma once

#include <optional>
#include <vector>

#include "channels/webhook/endpoint_url.h"
#include "hub/json.h"
#include "hub/store.h"
#include "net/http/problem.h"

namespace carillon::channels::webhook {

/// Reads every member whose name begins with `webhook_`, and notes what is wrong with them; none where there is no
/// `webhook_url`.
std::optional<hub::JobHook> read_job_hook(const hub::json::Object& body, const UrlPolicy& policy,
                                          std::vector<net::http::Invalid>& invalid);

}  // namespace carillon::channels::webhook
