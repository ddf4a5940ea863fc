// A delivery as its owner is shown it.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "hub/webhook.h"
#include "net/http/message.h"

namespace carillon::channels::webhook {

/// {"id","webhook_id","message_id","event","job_id","seq","status","attempt_count","next_attempt_at","created_at"}:
/// `message_id` is what arrives as the header webhook-id; `job_id` and `seq` are null for an event without them;
/// `next_attempt_at` is null when it is not pending, or waits behind another of an ordered endpoint.
std::string delivery_json(const hub::DeliveryReport& delivery);
/// The same with "attempts": [{"number","started_at","duration_ms","status","error","response"}], where `status` is
/// null when no answer came, and then `error` says why.
std::string delivery_json(const hub::DeliveryReport& delivery, const std::vector<hub::AttemptRecord>& attempts);

/// 202 with the delivery and where to look at what becomes of it.
net::http::Response delivery_accepted(const hub::DeliveryReport& delivery);

}  // namespace carillon::channels::webhook
