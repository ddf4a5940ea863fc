// What a client says over WebSocket: the text of one message, read into what it asks for.
//
//   message     = { "action": "ping" }
//               | { "action": "subscribe",   jobs [, "after": SEQ, "epoch": EPOCH] }
//               | { "action": "unsubscribe", jobs }
//   jobs        = "job_id": id | "job_ids": [id, …]        id = UUID | "*"
//
// Decided where the protocol is silent:
// - A member that is null counts as not given; members that nobody reads are passed over, `after` and `epoch` of an
//   unsubscribe among them.
// - `job_id` and `job_ids` together are an error, and so are no ids, too many, and anything in the list but strings:
//   then nothing of the message is done. What the strings say is judged one by one, as if each had been sent alone.
// - `after` is a whole number from 0 on; 0 stands before the first event. It means nothing without the epoch it was
//   counted in, so each of the two is an error without the other.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hub/id.h"

namespace carillon::channels::websocket {

/// Stands for all jobs of the key.
inline constexpr std::string_view all_jobs = "*";

struct Ping {};

/// Up to where a client has heard what it subscribes to again.
struct ResumePoint {
  hub::Seq after = 0;
  std::string epoch;
};

struct Subscribe {
  std::vector<std::string> jobs;  ///< as they were sent, at least one; not yet known to be ids
  std::optional<ResumePoint> resume;
};

struct Unsubscribe {
  std::vector<std::string> jobs;
};

/// What is to be answered to a message that asks for nothing that can be done.
struct BadMessage {
  std::string why;
};

using ClientMessage = std::variant<Ping, Subscribe, Unsubscribe, BadMessage>;

ClientMessage read_client_message(std::string_view text, std::size_t job_ids_max);

/// What a client sent, cut between characters so that an answer to nonsense is short.
std::string_view shortened(std::string_view text, std::size_t bytes_max = 64);

}  // namespace carillon::channels::websocket
