// An event as webhooks, the event feed and event streams tell it. Of an event of a job:
//
//   {"type":"job.succeeded","timestamp":"2026-11-23T17:42:05Z",
//    "data":{"job_id":…,"status":…,"result":…,"error":…[,"progress":…],"ts":…,"seq":…}}
//
// or, where that would be larger than `body_bytes_max`, the same without its result but with the way to it:
//
//   …"result":null,"result_url":"<public_url>/api/v1/jobs/<id>",…
//
// Of an event of no job, `data` is the event's own, with its `seq` where it has one (webhook.test has none):
//
//   {"type":"webhook.disabled","timestamp":…,"data":{"webhook_id":…,"url":…,"reason":…,"seq":…}}
//
// Made once for an event and shared by all who tell of it.
//
// Threads: any number at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "hub/event.h"

namespace carillon::channels {

struct PayloadOptions {
  /// Only a result is ever left out. An error and progress are always whole (they have limits of their own), so a body
  /// without a result may be larger than a limit that is set below those.
  std::size_t body_bytes_max = 1024 * 1024;
  /// Where this hub is reached ("https://hub.example"); with none, result_url is a path alone.
  std::string public_url;
};

/// Where a result is to be fetched that has been left out.
std::string result_url(const hub::JobId& job, std::string_view public_url);

/// The options must be the same for the whole life of a process: whoever asks first makes the body for all.
const hub::Text& payload(const hub::Event& event, const PayloadOptions& options = {});

}  // namespace carillon::channels
