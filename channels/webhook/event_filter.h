// A list of event kinds as a request gives it: ["job.succeeded", "job.failed"]. All kinds can be asked for but
// webhook.test, which its endpoint gets without.
//
// Threads: pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hub/event.h"
#include "hub/json.h"
#include "net/http/problem.h"

namespace carillon::channels::webhook {

/// None where something is wrong with it, which is noted under `pointer`.
std::optional<hub::EventKinds> read_event_filter(const hub::json::Value& value, const std::string& pointer,
                                                 std::vector<net::http::Invalid>& invalid);

/// ["job.succeeded","job.failed"]
std::string event_filter_json(hub::EventKinds kinds);

}  // namespace carillon::channels::webhook
