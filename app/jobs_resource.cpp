#include "app/jobs_resource.h"

#include <algorithm>

#include "channels/polling/job_json.h"
#include "channels/refusal.h"
#include "channels/webhook/job_hook.h"

namespace carillon::app {
namespace {

using net::http::Invalid;
using net::http::Responder;
using net::http::Response;

void append(std::vector<Invalid>& invalid, bool& too_large, const hub::Faults& faults) {
  for (const hub::Fault& fault : faults) {
    invalid.push_back({fault.pointer, fault.detail});
    too_large = too_large || fault.too_large;
  }
}

Response job_response(int status, const hub::Job& job) {
  Response response = net::http::json_response(status, channels::polling::job_json(job));
  response.with("ETag", channels::polling::job_etag(job));
  return response;
}

/// Takes the members out that belong to the webhook channel, so that what is left is the submission's own.
hub::json::Object without_hook(hub::json::Object body) {
  auto& members = body.members();
  std::erase_if(members, [](const hub::json::Member& member) { return member.name.starts_with("webhook_"); });
  return body;
}

}  // namespace

void JobsResource::submit(const net::http::Request& request, const hub::Principal& who, const Responder& responder) {
  // All members are optional, and so is the body.
  auto parsed = hub::json::parse_object(request.body.empty() ? std::string_view("{}") : request.body);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return responder.send(channels::problem_for(*error));
  const auto& body = std::get<hub::json::Object>(parsed);

  std::vector<Invalid> invalid;
  bool too_large = false;
  auto hook = channels::webhook::read_job_hook(body, urls_, invalid);
  auto read = intake_.read_submission(who, without_hook(body));
  if (const auto* faults = std::get_if<hub::Faults>(&read)) append(invalid, too_large, *faults);
  if (!invalid.empty()) return responder.send(channels::problem_for(std::move(invalid), too_large));

  auto& submission = std::get<hub::Submission>(read);
  submission.hook = std::move(hook);
  store_.submit(std::move(submission), home_, [responder](const hub::Outcome<hub::Job>& outcome) {
    if (!outcome) return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
    Response response = job_response(201, *outcome);
    response.with("Location", "/api/v1/jobs/" + outcome->id.text());
    responder.send(std::move(response));
  });
}

void JobsResource::report(const net::http::Request& request, const hub::Principal& who, const Responder& responder) {
  const std::string_view id_text = request.parameters[0];
  const auto id = hub::JobId::parse(id_text);
  if (!id) return responder.send(channels::problem_for(hub::Refusal::not_found, channels::no_such_job(id_text)));
  auto parsed = hub::json::parse_object(request.body);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return responder.send(channels::problem_for(*error));
  auto read = intake_.read_report(who, *id, std::get<hub::json::Object>(parsed));
  if (const auto* faults = std::get_if<hub::Faults>(&read)) {
    std::vector<Invalid> invalid;
    bool too_large = false;
    append(invalid, too_large, *faults);
    return responder.send(channels::problem_for(std::move(invalid), too_large));
  }
  store_.report(std::move(std::get<hub::Report>(read)), home_, [responder](const hub::Outcome<hub::Job>& outcome) {
    if (!outcome) return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
    responder.send(job_response(200, *outcome));
  });
}

}  // namespace carillon::app
