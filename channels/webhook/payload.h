// The body of a delivery:
//
//   {"type":"job.succeeded","timestamp":"2026-11-23T17:42:05Z",
//    "data":{"job_id":…,"status":…,"result":…,"error":…[,"progress":…],"ts":…,"seq":…}}
//
// Made once for an event and shared by all its deliveries.
//
// Threads: any number at once.
#pragma once

#include "hub/event.h"

namespace carillon::channels::webhook {

const hub::Text& payload(const hub::Event& event);

}  // namespace carillon::channels::webhook
