// What every channel says alike: a refused change as a problem over HTTP.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "hub/authenticator.h"
#include "hub/intake.h"
#include "hub/json.h"
#include "hub/not_found.h"
#include "hub/store.h"
#include "net/http/problem.h"

namespace carillon::channels {

/// `detail` is used where the refusal brings none of its own.
net::http::Problem problem_for(hub::Refusal refusal, std::string detail);

/// 503 for what could not be looked up.
net::http::Problem store_unreadable();

/// 401 for what is no valid key, 403 for a suspended account.
net::http::Problem problem_for(hub::AuthRefusal refusal);

using hub::no_such_delivery;
using hub::no_such_job;
using hub::no_such_webhook;

/// 400 for a body that is no JSON; names what is wrong and where.
net::http::Problem problem_for(const hub::json::Error& error);

/// 422 that names each member and what is wrong with it; 413 where one is over its limit.
net::http::Problem problem_for(std::vector<net::http::Invalid> invalid, bool too_large = false);
/// 422 for members of a query.
net::http::Problem problem_for_query(std::vector<net::http::Invalid> invalid);

/// Notes what intake found; true where a member of it is over its limit.
bool append_faults(std::vector<net::http::Invalid>& invalid, const hub::Faults& faults);

}  // namespace carillon::channels
