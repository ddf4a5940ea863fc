#include "channels/webhook/payload.h"

#include <string>

#include "hub/json.h"

namespace carillon::channels::webhook {
namespace {

std::string render(const hub::Event& event) {
  std::string out = R"({"type":")";
  out += to_text(event.kind);
  out += R"(","timestamp":")";
  out += hub::rfc3339_seconds(event.at);
  out += R"(","data":{"job_id":")";
  out += event.job.text();
  out += R"(","status":")";
  out += to_text(event.status);
  out += R"(","result":)";
  out += event.result ? *event.result : "null";
  out += R"(,"error":)";
  if (event.error) {
    hub::json::append_string(out, *event.error);
  } else {
    out += "null";
  }
  if (event.progress) out += R"(,"progress":)" + *event.progress;
  out += R"(,"ts":)";
  hub::json::append_number(out, event.at / 1000);
  out += R"(,"seq":)";
  hub::json::append_number(out, event.seq);
  out += "}}";
  return out;
}

}  // namespace

const hub::Text& payload(const hub::Event& event) {
  return event.rendition(hub::Rendition::webhook_body, [&] { return render(event); });
}

}  // namespace carillon::channels::webhook
