// What GET /jobs/{id} answers: the job, or that it has not changed; with its tag, and when to ask again.
//
// Threads: pure functions and values.
#pragma once

#include <cstdint>

#include "channels/polling/wait.h"
#include "hub/clock.h"
#include "hub/job.h"
#include "net/http/message.h"

namespace carillon::channels::polling {

/// How soon a job that is not final is worth another look, in seconds: a tenth of the time since its last change, so
/// that who asks again by it is late by no more than that; at least 1.
std::int64_t retry_after_s(const hub::Job& job, hub::UnixMs now, std::int64_t max_s);

/// 200 and the job, whose `body` is job_json(job). `retry_after` is left out for a final one.
net::http::Response whole(const hub::Job& job, net::http::Body body, const Wait& wait, std::int64_t retry_after);
/// 304.
net::http::Response unchanged(const hub::Job& job, const Wait& wait, std::int64_t retry_after);

}  // namespace carillon::channels::polling
