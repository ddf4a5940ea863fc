// The reader of what clients say: whatever comes in, it comes to one of its answers, and that answer keeps its bounds.
#include <cstdint>
#include <string_view>

#include "channels/websocket/client_message.h"
#include "hub/json.h"
#include "hub/utf8.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon;
using namespace carillon::channels::websocket;
using carillon::fuzz::must;

constexpr std::size_t job_ids_max = 8;

void check_jobs(const std::vector<std::string>& jobs, std::string_view text) {
  must(!jobs.empty() && jobs.size() <= job_ids_max);
  for (const std::string& job : jobs) {
    must(job.size() <= text.size());
    must(hub::is_utf8(job));
    must(shortened(job).size() <= 64 && hub::is_utf8(shortened(job)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ClientMessage message = read_client_message(text, job_ids_max);
  const bool is_object = std::holds_alternative<hub::json::Object>(hub::json::parse_object(text));
  if (const auto* bad = std::get_if<BadMessage>(&message)) {
    must(!bad->why.empty() && bad->why.size() <= 256 && hub::is_utf8(bad->why));
    must(is_object != bad->why.starts_with("Invalid JSON: "));
    return 0;
  }
  must(is_object);
  if (const auto* asked = std::get_if<Subscribe>(&message)) {
    check_jobs(asked->jobs, text);
    if (asked->resume) must(asked->resume->after >= 0 && hub::is_utf8(asked->resume->epoch));
  }
  if (const auto* asked = std::get_if<Unsubscribe>(&message)) check_jobs(asked->jobs, text);
  return 0;
}
