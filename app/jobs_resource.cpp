#include "app/jobs_resource.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "app/idempotency_key.h"
#include "app/update_list.h"
#include "channels/body_reader.h"
#include "channels/polling/job_json.h"
#include "channels/refusal.h"
#include "channels/webhook/job_hook.h"
#include "net/http/trace_context.h"

namespace carillon::app {
namespace {

using net::http::Invalid;
using net::http::Responder;
using net::http::Response;

Response job_response(int status, const hub::Job& job) {
  Response response = net::http::json_response(status, channels::polling::job_json(job));
  response.with("ETag", channels::polling::job_etag(job));
  return response;
}

Response created_response(const hub::Job& job) {
  Response response = job_response(201, job);
  response.with("Location", "/api/v1/jobs/" + job.id.text());
  return response;
}

/// Takes the members out that belong to the webhook channel, so that what is left is the submission's own.
hub::json::Object without_hook(hub::json::Object body) {
  auto& members = body.members();
  std::erase_if(members, [](const hub::json::Member& member) { return member.name.starts_with("webhook_"); });
  return body;
}

hub::Text trace_of(const net::http::Request& request) {
  const auto trace = net::http::TraceContext::read(request.fields);
  return trace ? hub::make_text(trace->text()) : nullptr;
}

}  // namespace

void JobsResource::submit(const net::http::Request& request, const hub::Principal& who, const Responder& responder) {
  auto key = read_idempotency_key(request, limits_.idempotency_key_bytes_max);
  if (const auto* problem = std::get_if<net::http::Problem>(&key)) return responder.send(*problem);
  // All members are optional, and so is the body.
  auto parsed = hub::json::parse_object(request.body.empty() ? std::string_view("{}") : request.body);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return responder.send(channels::problem_for(*error));
  const auto& body = std::get<hub::json::Object>(parsed);

  std::vector<Invalid> invalid;
  bool too_large = false;
  auto hook = channels::webhook::read_job_hook(body, urls_, invalid);
  auto read = intake_.read_submission(who, without_hook(body));
  if (const auto* faults = std::get_if<hub::Faults>(&read)) too_large = channels::append_faults(invalid, *faults);
  if (!invalid.empty()) return responder.send(channels::problem_for(std::move(invalid), too_large));

  auto& submission = std::get<hub::Submission>(read);
  submission.hook = std::move(hook);
  submission.trace = trace_of(request);
  if (auto& text = std::get<std::optional<std::string>>(key)) {
    return submit_once(std::move(submission), {std::move(*text), hub::sha256(request.body)}, note(request, who),
                       responder);
  }
  const hub::JobId job = submission.job;
  const auto told = [responder, job, note = note(request, who)](const hub::Outcome<hub::Job>& outcome) {
    if (note) outcome ? note->submitted(*outcome, false) : note->refused("submission", job.text(), outcome.refusal());
    if (!outcome) return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
    responder.send(created_response(*outcome));
  };
  store_.submit(std::move(submission), home_, told);
}

void JobsResource::submit_once(hub::Submission submission, hub::IdempotencyKey key, RoadLog::NotePtr note,
                               const Responder& responder) {
  auto place = under_way_.enter(submission.by.key, key.text);
  if (!place) {
    return responder.send({409,
                           "idempotency_key_in_use",
                           "A request with this Idempotency-Key is under way and not answered yet.",
                           {},
                           1});
  }
  const hub::JobId job = submission.job;
  store_.submit_once(std::move(submission), std::move(key), home_,
                     [responder, job, note = std::move(note),
                      place = std::move(place)](const hub::Outcome<hub::Submitted>& outcome) mutable {
                       place.reset();  // before the answer: who has it may ask again at once
                       if (note) {
                         outcome ? note->submitted(outcome->job, outcome->replayed)
                                 : note->refused("submission", job.text(), outcome.refusal());
                       }
                       if (!outcome) {
                         return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
                       }
                       Response response = created_response(outcome->job);
                       if (outcome->replayed) response.with("Idempotency-Replayed", "true");
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
    const bool too_large = channels::append_faults(invalid, *faults);
    return responder.send(channels::problem_for(std::move(invalid), too_large));
  }
  auto& report = std::get<hub::Report>(read);
  report.trace = trace_of(request);
  const auto told = [responder, id = *id, note = note(request, who)](const hub::Outcome<hub::Job>& outcome) {
    if (note) outcome ? note->reported(*outcome) : note->refused("report", id.text(), outcome.refusal());
    if (!outcome) return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
    responder.send(job_response(200, *outcome));
  };
  store_.report(std::move(report), home_, told);
}

void JobsResource::report_all(const net::http::Request& request, const hub::Principal& who,
                              const Responder& responder) {
  auto list = std::make_shared<UpdateList>(intake_, who, limits_.updates_max);
  auto parsed = hub::json::parse_object_of_list(request.body, "updates", *list);
  if (const auto* error = std::get_if<hub::json::Error>(&parsed)) return responder.send(channels::problem_for(*error));
  channels::BodyReader reader(std::move(std::get<hub::json::Object>(parsed)));
  if (reader.take("updates", hub::json::Kind::array) == nullptr && reader.invalid().empty()) {
    reader.refuse("updates", "is missing");
  }
  const auto read = reader.end(std::monostate{});
  if (const auto* problem = std::get_if<net::http::Problem>(&read)) return responder.send(*problem);
  if (list->count() > limits_.updates_max) {
    return responder.send(
        channels::problem_for({{"/updates", "has " + std::to_string(list->count()) + " elements; at most " +
                                                std::to_string(limits_.updates_max) + " are taken"}},
                              true));
  }
  auto reports = list->take_reports();
  if (const hub::Text trace = trace_of(request)) {
    for (hub::Report& report : reports) report.trace = trace;
  }
  // What is to be refused whatever the jobs are needs no commit.
  if (reports.empty()) return responder.send(net::http::json_response(200, list->answer({})));
  store_.report_all(
      std::move(reports), home_,
      [responder, list = std::move(list), note = note(request, who)](const hub::Outcome<hub::ReportOutcomes>& outcome) {
        if (note) outcome ? note->reported(*outcome) : note->refused("reports", {}, outcome.refusal());
        if (!outcome) {
          return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
        }
        responder.send(net::http::json_response(200, list->answer(*outcome)));
      });
}

void JobsResource::erase(const net::http::Request& request, const hub::Principal& who, const Responder& responder) {
  const std::string_view id_text = request.parameters[0];
  const auto id = hub::JobId::parse(id_text);
  if (!id) return responder.send(channels::problem_for(hub::Refusal::not_found, channels::no_such_job(id_text)));
  if (const auto problem = channels::fault_of_body_without_members(request.body)) return responder.send(*problem);
  store_.erase_job(who, *id, home_, [responder](const hub::Outcome<hub::Done>& outcome) {
    if (!outcome) return responder.send(channels::problem_for(outcome.refusal(), outcome.detail()));
    Response response;
    response.status = 204;
    responder.send(std::move(response));
  });
}

}  // namespace carillon::app
