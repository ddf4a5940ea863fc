#include "channels/webhook/event_filter.h"

#include <algorithm>
#include <array>

namespace carillon::channels::webhook {
namespace {

using hub::EventKind;

/// All that can be asked for. webhook_test is not: it goes to the endpoint it tests, whatever that asked for.
constexpr std::array all_kinds = {EventKind::queued,    EventKind::running, EventKind::progress,
                                  EventKind::succeeded, EventKind::failed,  EventKind::webhook_disabled};

std::string names_of_all() {
  std::string names;
  for (const EventKind kind : all_kinds) names.append(names.empty() ? "" : ", ").append(to_text(kind));
  return names;
}

std::optional<EventKind> kind_named(const hub::json::Value& value) {
  if (!value.is(hub::json::Kind::string)) return std::nullopt;
  const auto kind = hub::parse_event_kind(value.string());
  return kind && std::find(all_kinds.begin(), all_kinds.end(), *kind) != all_kinds.end() ? kind : std::nullopt;
}

}  // namespace

std::optional<hub::EventKinds> read_event_filter(const hub::json::Value& value, const std::string& pointer,
                                                 std::vector<net::http::Invalid>& invalid) {
  if (!value.is(hub::json::Kind::array)) {
    invalid.push_back({pointer, "must be an array of " + names_of_all()});
    return std::nullopt;
  }
  hub::EventKinds kinds;
  bool sound = true;
  const auto elements = hub::json::elements_of(value);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (const auto kind = kind_named(elements[i])) {
      kinds = kinds.with(*kind);
    } else {
      invalid.push_back({pointer + "/" + std::to_string(i), "must be one of " + names_of_all()});
      sound = false;
    }
  }
  if (elements.empty()) {
    invalid.push_back({pointer, "must name at least one event"});
    sound = false;
  }
  return sound ? std::optional(kinds) : std::nullopt;
}

std::string event_filter_json(hub::EventKinds kinds) {
  std::string out = "[";
  for (const EventKind kind : all_kinds) {
    if (!kinds.has(kind)) continue;
    if (out.size() > 1) out += ',';
    out.append("\"").append(to_text(kind)).append("\"");
  }
  out += "]";
  return out;
}

}  // namespace carillon::channels::webhook
