#include "channels/polling/job_answer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "channels/polling/job_json.h"

namespace carillon::channels::polling {
namespace {

constexpr std::int64_t ms_per_s = 1000;
constexpr std::int64_t part_of_age = 10;
constexpr std::size_t fields_bytes = 112;  ///< of all of them

void add_fields(net::http::Response& response, const hub::Job& job, const Wait& wait, std::int64_t retry_after) {
  response.fields.reserve(fields_bytes);
  response.with("ETag", job_etag(job));
  response.with("Cache-Control", "private, no-cache");
  if (!is_final(job.status)) response.with("Retry-After", std::to_string(retry_after));
  if (wait.preferred) response.with("Preference-Applied", "wait=" + std::to_string(wait.seconds));
}

}  // namespace

std::int64_t retry_after_s(const hub::Job& job, hub::UnixMs now, std::int64_t max_s) {
  const std::int64_t age_s = std::max<std::int64_t>(0, now - job.updated_at) / ms_per_s;
  return std::clamp<std::int64_t>(age_s / part_of_age, 1, std::max<std::int64_t>(1, max_s));
}

net::http::Response whole(const hub::Job& job, net::http::Body body, const Wait& wait, std::int64_t retry_after) {
  net::http::Response response = net::http::json_response(200, std::move(body));
  add_fields(response, job, wait, retry_after);
  return response;
}

net::http::Response unchanged(const hub::Job& job, const Wait& wait, std::int64_t retry_after) {
  net::http::Response response;
  response.status = 304;
  add_fields(response, job, wait, retry_after);
  return response;
}

}  // namespace carillon::channels::polling
