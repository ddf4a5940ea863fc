// What is answered of a thing that is not there, and of one that is another's, in the same words: whoever asks learns
// nothing of it.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace carillon::hub {

/// Each with the id as it was asked for.
inline std::string no_such_job(std::string_view id) { return "Job not found or access denied: " + std::string(id); }
inline std::string no_such_webhook(std::string_view id) {
  return "Webhook not found or access denied: " + std::string(id);
}
inline std::string no_such_delivery(std::string_view id) {
  return "Delivery not found or access denied: " + std::string(id);
}

}  // namespace carillon::hub
