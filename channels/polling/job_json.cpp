#include "channels/polling/job_json.h"

#include "hub/json.h"
#include "net/http/field_list.h"

namespace carillon::channels::polling {
namespace {

void append_text_or_null(net::http::Body& out, std::string_view name, const hub::Text& json) {
  out.own_text().append(",\"").append(name).append("\":");
  if (json) {
    out.append(json);
  } else {
    out.append("null");
  }
}

}  // namespace

void append_job(net::http::Body& body, const hub::Job& job) {
  std::string& out = body.own_text();
  out += "{\"job_id\":\"";
  const std::size_t id_at = out.size();
  out.resize(id_at + hub::JobId::text_bytes);
  job.id.write(out.data() + id_at);
  out.append("\",\"status\":\"").append(to_text(job.status)).append("\"");
  append_text_or_null(body, "result", job.result);
  out += ",\"error\":";
  if (job.error) {
    hub::json::append_string(out, *job.error);
  } else {
    out += "null";
  }
  append_text_or_null(body, "progress", job.progress);
  append_text_or_null(body, "metadata", job.metadata);
  out += ",\"created_at\":\"";
  hub::append_rfc3339_ms(out, job.created_at);
  out += "\",\"updated_at\":\"";
  hub::append_rfc3339_ms(out, job.updated_at);
  out += "\",\"ts\":";
  hub::json::append_number(out, job.updated_at / 1000);
  out += ",\"seq\":";
  hub::json::append_number(out, job.seq);
  out += '}';
}

net::http::Body job_json(const hub::Job& job) {
  // What is not copied needs no room.
  const auto size = [](const hub::Text& text) {
    return text && text->size() < net::http::Body::shared_bytes_min ? text->size() : 0;
  };
  net::http::Body body;
  body.reserve(320 + size(job.result) + (job.error ? job.error->size() : 0) + size(job.progress) + size(job.metadata));
  append_job(body, job);
  return body;
}

std::string job_etag(const hub::Job& job) { return '"' + std::to_string(job.seq) + '"'; }

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  while (!if_none_match.empty()) {
    std::string_view tag = net::http::take_until(if_none_match, ',');
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == etag || tag == "*") return true;
  }
  return false;
}

}  // namespace carillon::channels::polling
