#include "channels/webhook/job_hook.h"

#include "channels/webhook/event_filter.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

bool is_known(std::string_view name) {
  return name == "webhook_url" || name == "webhook_events" || name == "webhook_secret";
}

}  // namespace

std::optional<hub::JobHook> read_job_hook(const hub::json::Object& body, const UrlPolicy& policy,
                                          std::vector<net::http::Invalid>& invalid) {
  using hub::json::Kind;
  hub::JobHook hook;
  std::vector<std::string> needing_url;
  for (const hub::json::Member& member : body.members()) {
    if (!member.name.starts_with("webhook_")) continue;
    const std::string pointer = "/" + member.name;
    const bool is_string = member.value.is(Kind::string);
    if (!is_known(member.name)) {
      invalid.push_back({pointer, "is not a member of a submission"});
    } else if (member.value.is(Kind::null)) {
      continue;
    } else if (member.name == "webhook_url") {
      hook.url = is_string ? member.value.string() : "";
      if (!is_string) {
        invalid.push_back({pointer, "must be a string"});
      } else if (const auto fault = url_fault(hook.url, policy)) {
        invalid.push_back({pointer, *fault});
      }
    } else if (member.name == "webhook_events") {
      needing_url.push_back(pointer);
      hook.events = read_event_filter(member.value, pointer, invalid).value_or(hook.events);
    } else {
      needing_url.push_back(pointer);
      hook.secret = is_string ? member.value.string() : "";
      if (!hub::is_webhook_secret(hook.secret)) {
        invalid.push_back({pointer, hub::webhook_secret_wanted});
      }
    }
  }
  const auto* url = body.find("webhook_url");
  if (url != nullptr && !url->is(Kind::null)) return hook;
  for (const std::string& pointer : needing_url) invalid.push_back({pointer, "goes only with webhook_url"});
  return std::nullopt;
}

}  // namespace carillon::channels::webhook
