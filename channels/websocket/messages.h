// What the hub says over WebSocket: each message as a whole text frame, ready to be written.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/event.h"
#include "hub/job.h"

namespace carillon::channels::websocket {

/// Seconds since 1970, as all messages carry them.
using UnixSeconds = std::int64_t;

std::string connected_frame(UnixSeconds ts);
std::string connected_frame(UnixSeconds ts, std::string_view epoch);
std::string heartbeat_frame(UnixSeconds ts);
std::string pong_frame(UnixSeconds ts);
std::string error_frame(std::string_view message, UnixSeconds ts);
/// `job` is the id, or "*". `recovered` is said to who asked to resume, and to no one else.
std::string subscribed_frame(std::string_view job, UnixSeconds ts, std::optional<bool> recovered = std::nullopt);
std::string unsubscribed_frame(std::string_view job, UnixSeconds ts);

/// `job_update` for an event, or for a job as it stands; with `seq` for connections that asked to resume.
std::string job_update_frame(const hub::Event& event, bool with_seq);
std::string job_update_frame(const hub::Job& job, bool with_seq);

}  // namespace carillon::channels::websocket
