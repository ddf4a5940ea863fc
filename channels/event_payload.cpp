#include "channels/event_payload.h"

#include <string>
#include <string_view>

#include "hub/json.h"

namespace carillon::channels {
namespace {

constexpr std::size_t envelope_bytes = 256;  ///< about what stands around result, error and progress

void begin(std::string& out, const hub::Event& event) {
  out += R"({"type":")";
  out += to_text(event.kind);
  out += R"(","timestamp":")";
  out += hub::rfc3339_seconds(event.at);
  out += R"(","data":)";
}

/// From the comma behind the result to the end.
std::string behind_result(const hub::Event& event) {
  std::string out = R"(,"error":)";
  if (event.error) {
    hub::json::append_string(out, *event.error);
  } else {
    out += "null";
  }
  if (event.progress) out.append(R"(,"progress":)").append(*event.progress);
  out += R"(,"ts":)";
  hub::json::append_number(out, event.at / 1000);
  out += R"(,"seq":)";
  hub::json::append_number(out, event.seq);
  out += "}}";
  return out;
}

std::string render_of_job(const hub::Event& event, const PayloadOptions& options) {
  const std::string rest = behind_result(event);
  std::string out;
  out.reserve(envelope_bytes + rest.size());
  begin(out, event);
  out += R"({"job_id":")";
  out += event.job.text();
  out += R"(","status":")";
  out += to_text(event.status);
  out += R"(","result":)";
  if (!event.result) {
    out += "null";
  } else if (const std::size_t whole = out.size() + event.result->size() + rest.size();
             whole <= options.body_bytes_max) {
    out.reserve(whole);
    out += *event.result;
  } else {
    out += R"(null,"result_url":)";
    hub::json::append_string(out, result_url(event.job, options.public_url));
  }
  out += rest;
  return out;
}

std::string render_of_no_job(const hub::Event& event) {
  std::string_view data = event.data ? std::string_view(*event.data) : "{}";
  std::string out;
  out.reserve(envelope_bytes + data.size());
  begin(out, event);
  if (event.seq > 0) {
    data.remove_suffix(data.size() - data.rfind('}'));
    out += data;
    if (data != "{") out += ',';
    out += R"("seq":)";
    hub::json::append_number(out, event.seq);
    out += '}';
  } else {
    out += data;
  }
  out += '}';
  return out;
}

}  // namespace

std::string result_url(const hub::JobId& job, std::string_view public_url) {
  if (public_url.ends_with('/')) public_url.remove_suffix(1);
  return std::string(public_url) + "/api/v1/jobs/" + job.text();
}

const hub::Text& payload(const hub::Event& event, const PayloadOptions& options) {
  return event.rendition(hub::Rendition::payload, [&] {
    return is_of_job(event.kind) ? render_of_job(event, options) : render_of_no_job(event);
  });
}

}  // namespace carillon::channels
