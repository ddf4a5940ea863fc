#include "hub/event.h"

namespace carillon::hub {

std::string_view to_text(EventKind kind) {
  switch (kind) {
    case EventKind::queued:
      return "job.queued";
    case EventKind::running:
      return "job.running";
    case EventKind::progress:
      return "job.progress";
    case EventKind::succeeded:
      return "job.succeeded";
    case EventKind::failed:
      return "job.failed";
    case EventKind::webhook_disabled:
      return "webhook.disabled";
    case EventKind::webhook_test:
      return "webhook.test";
  }
  return {};
}

std::optional<EventKind> parse_event_kind(std::string_view text) {
  // Nobody asks for webhook_test in a filter: it goes to the endpoint that is tested, whatever it wants to hear.
  for (const auto kind : {EventKind::queued, EventKind::running, EventKind::progress, EventKind::succeeded,
                          EventKind::failed, EventKind::webhook_disabled}) {
    if (to_text(kind) == text) return kind;
  }
  return std::nullopt;
}

}  // namespace carillon::hub
