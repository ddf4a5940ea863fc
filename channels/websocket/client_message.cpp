#include "channels/websocket/client_message.h"

#include <algorithm>
#include <utility>

#include "hub/json.h"

namespace carillon::channels::websocket {
namespace {

using hub::json::Kind;
using hub::json::Object;
using hub::json::Value;

/// A JSON error may quote a member's name, however long that is.
constexpr std::size_t json_error_bytes_max = 128;

/// Null where the member is not given.
const Value* find(const Object& message, std::string_view name) {
  const Value* value = message.find(name);
  return value == nullptr || value->is(Kind::null) ? nullptr : value;
}

std::variant<std::vector<std::string>, BadMessage> read_jobs(const Object& message, std::size_t job_ids_max) {
  const Value* one = find(message, "job_id");
  const Value* many = find(message, "job_ids");
  if (one != nullptr && many != nullptr) return BadMessage{"Both job_id and job_ids: one of the two is wanted"};
  std::vector<std::string> jobs;
  if (many == nullptr) {
    if (one == nullptr) return BadMessage{"Missing job_id"};
    if (!one->is(Kind::string)) return BadMessage{"Invalid job_id: a string is wanted"};
    jobs.push_back(one->string());
    return jobs;
  }
  if (!many->is(Kind::array)) return BadMessage{"Invalid job_ids: an array of strings is wanted"};
  const std::vector<Value> elements = hub::json::elements_of(*many);
  if (elements.empty()) return BadMessage{"Invalid job_ids: the array is empty"};
  if (elements.size() > job_ids_max) return BadMessage{"Too many job_ids: at most " + std::to_string(job_ids_max)};
  jobs.reserve(elements.size());
  for (const Value& element : elements) {
    if (!element.is(Kind::string)) return BadMessage{"Invalid job_ids: an array of strings is wanted"};
    jobs.push_back(element.string());
  }
  return jobs;
}

std::variant<std::optional<ResumePoint>, BadMessage> read_resume_point(const Object& message) {
  const Value* after = find(message, "after");
  const Value* epoch = find(message, "epoch");
  if (after == nullptr && epoch == nullptr) return std::nullopt;
  if (epoch == nullptr) return BadMessage{"Missing epoch: after counts within one epoch"};
  if (after == nullptr) return BadMessage{"Missing after: an epoch is given with the seq to go on after"};
  const auto seq = after->is(Kind::number) ? after->integer() : std::nullopt;
  if (!seq || *seq < 0) return BadMessage{"Invalid after: a whole number from 0 on is wanted"};
  if (!epoch->is(Kind::string)) return BadMessage{"Invalid epoch: a string is wanted"};
  return ResumePoint{*seq, epoch->string()};
}

}  // namespace

ClientMessage read_client_message(std::string_view text, std::size_t job_ids_max) {
  auto parsed = hub::json::parse_object(text);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed))
    return BadMessage{"Invalid JSON: " + std::string(shortened(error->what, json_error_bytes_max))};
  const auto& message = std::get<Object>(parsed);

  const Value* action_value = message.find("action");
  if (action_value == nullptr) return BadMessage{"Missing action"};
  const bool is_word = action_value->is(Kind::string);
  const std::string action = is_word ? action_value->string() : std::string(action_value->text);
  if (is_word && action == "ping") return Ping{};
  const bool subscribes = is_word && action == "subscribe";
  const bool unsubscribes = is_word && action == "unsubscribe";
  if (!subscribes && !unsubscribes) return BadMessage{"Unknown action: " + std::string(shortened(action))};

  auto jobs = read_jobs(message, job_ids_max);
  if (auto* bad = std::get_if<BadMessage>(&jobs)) return std::move(*bad);
  auto& ids = std::get<std::vector<std::string>>(jobs);
  if (!subscribes) return Unsubscribe{std::move(ids)};
  auto resume = read_resume_point(message);
  if (auto* bad = std::get_if<BadMessage>(&resume)) return std::move(*bad);
  return Subscribe{std::move(ids), std::move(std::get<std::optional<ResumePoint>>(resume))};
}

std::string_view shortened(std::string_view text, std::size_t bytes_max) {
  std::size_t length = std::min(text.size(), bytes_max);
  while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
  return text.substr(0, length);
}

}  // namespace carillon::channels::websocket
