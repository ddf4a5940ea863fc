#include "app/road_log.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "channels/refusal.h"
#include "net/http/trace_context.h"

namespace carillon::app {
namespace {

std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

RoadLog::RoadLog(const Settings& settings, const hub::Clock& clock)
    : log_(settings.log.format, LogLevel::debug, clock, STDERR_FILENO) {}

RoadLog::Note::Note(const Log& log, const net::http::Request& request, const hub::Principal& who)
    : log_(log),
      key_(hub::to_text(who.key)),
      request_(request.id),
      trace_id_(or_dash(net::http::trace_id_of(request.fields))) {}

void RoadLog::Note::submitted(const hub::Job& job, bool replayed) const {
  log_.debug("submitted", {{"job", job.id.text()},
                           {"seq", job.seq},
                           {"replayed", replayed},
                           {"key", key_},
                           {"request", request_},
                           {"trace_id", trace_id_}});
}

void RoadLog::Note::reported(const hub::Job& job) const {
  log_.debug("reported", {{"job", job.id.text()},
                          {"status", to_text(job.status)},
                          {"seq", job.seq},
                          {"key", key_},
                          {"request", request_},
                          {"trace_id", trace_id_}});
}

void RoadLog::Note::reported(const hub::ReportOutcomes& outcomes) const {
  const auto taken = std::count_if(outcomes.begin(), outcomes.end(), [](const auto& one) { return bool(one); });
  log_.debug("reported many", {{"taken", taken},
                               {"refused", std::ssize(outcomes) - taken},
                               {"key", key_},
                               {"request", request_},
                               {"trace_id", trace_id_}});
}

void RoadLog::Note::refused(std::string_view what, std::string_view job, hub::Refusal why) const {
  log_.debug("refused", {{"what", what},
                         {"job", or_dash(job)},
                         {"error", channels::problem_for(why, {}).code},
                         {"key", key_},
                         {"request", request_},
                         {"trace_id", trace_id_}});
}

void RoadLog::attempted(const hub::Delivery& delivery, const hub::Attempt& attempt) const {
  const hub::Event& event = *delivery.event;
  const bool of_job = hub::is_of_job(event.kind);
  std::string trace_id;
  if (event.trace) {
    if (auto trace = net::http::TraceContext::from_text(*event.trace)) trace_id = std::move(trace->id);
  }
  log_.debug("attempted", {{"job", of_job ? event.job.text() : "-"},
                           {"event", to_text(event.kind)},
                           {"seq", event.seq},
                           {"webhook", hub::to_text(attempt.endpoint)},
                           {"delivery", hub::to_text(attempt.delivery)},
                           {"msg", hub::to_text(delivery.message)},
                           {"status", attempt.http_status},
                           {"error", or_dash(attempt.error)},
                           {"ms", attempt.duration_ms},
                           {"outcome", to_text(attempt.next_state)},
                           {"trace_id", or_dash(trace_id)}});
}

bool logs_road(const Settings::Log& settings) { return settings.level >= LogLevel::debug; }

}  // namespace carillon::app
