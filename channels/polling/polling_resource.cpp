#include "channels/polling/polling_resource.h"

#include "channels/polling/job_json.h"
#include "channels/refusal.h"

namespace carillon::channels::polling {
namespace {

/// How soon a job that is not final is worth another look, in seconds.
constexpr std::string_view retry_after_s = "1";

}  // namespace

void PollingResource::get_job(const net::http::Request& request, const hub::Principal& who,
                              const net::http::Responder& responder) {
  const std::string_view id_text = request.parameters[0];
  const auto id = hub::JobId::parse(id_text);
  const auto job = id ? reader_.find_job(*id) : std::nullopt;
  if (!job || !ownership_.may_see(who, job->owner)) {
    return responder.send(problem_for(hub::Refusal::not_found, no_such_job(id_text)));
  }
  const std::string etag = job_etag(*job);
  net::http::Response response;
  const auto if_none_match = request.field("If-None-Match");
  if (if_none_match && etag_matches(*if_none_match, etag)) {
    response.status = 304;
  } else {
    response = net::http::json_response(200, job_json(*job));
  }
  response.with("ETag", etag);
  response.with("Cache-Control", "private, no-cache");
  if (!is_final(job->status)) response.with("Retry-After", retry_after_s);
  responder.send(std::move(response));
}

}  // namespace carillon::channels::polling
