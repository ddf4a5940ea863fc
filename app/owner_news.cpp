#include "app/owner_news.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "hub/json.h"

namespace carillon::app {
namespace {

std::string string_of(const hub::json::Object& object, std::string_view name) {
  const hub::json::Value* const value = object.find(name);
  return value != nullptr && value->is(hub::json::Kind::string) ? value->string() : std::string();
}

std::string without_query(std::string url) {
  url.resize(std::min(url.find('?'), url.size()));
  return url;
}

}  // namespace

void OwnerNews::on_commit(const hub::CommitBatchPtr& batch, hub::Replies /*replies*/) noexcept {
  if (!batch) return;
  for (const hub::EventPtr& event : batch->events) {
    if (event->kind != hub::EventKind::webhook_disabled) continue;
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < waiting_max) waiting_.push_back(event);
  }
}

std::vector<OwnerNews::DisabledWebhook> OwnerNews::take() {
  std::vector<hub::EventPtr> events;
  {
    const std::lock_guard lock(mutex_);
    events = std::exchange(waiting_, {});
  }
  std::vector<DisabledWebhook> news;
  for (const hub::EventPtr& event : events) {
    const auto parsed = hub::json::parse_object(*event->data);
    const auto* const said = std::get_if<hub::json::Object>(&parsed);
    if (said == nullptr) continue;
    news.push_back(
        {string_of(*said, "webhook_id"), without_query(string_of(*said, "url")), string_of(*said, "reason")});
  }
  return news;
}

}  // namespace carillon::app
