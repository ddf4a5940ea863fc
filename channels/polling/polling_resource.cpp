#include "channels/polling/polling_resource.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "channels/polling/event_json.h"
#include "channels/polling/job_answer.h"
#include "channels/polling/job_json.h"
#include "channels/polling/wait.h"
#include "channels/refusal.h"
#include "hub/json.h"

namespace carillon::channels::polling {
namespace {

constexpr std::size_t ids_max = 100;
constexpr std::size_t jobs_default = 50;
constexpr std::size_t jobs_max = 100;
constexpr std::size_t looked_at_max = 5'000;  ///< jobs for one page: some two milliseconds
constexpr std::size_t events_default = 100;
constexpr std::size_t events_max = 1'000;

/// The job if there is one, and the caller may see it.
std::optional<hub::Job> find(PollingChannel& channel, std::string_view id_text, const hub::Principal& who) {
  const auto id = hub::JobId::parse(id_text);
  auto job = id ? channel.reader().find_job(*id) : std::nullopt;
  if (job && !channel.ownership().may_see(who, job->owner)) return std::nullopt;
  return job;
}

void send_no_such_job(const net::http::Responder& responder, std::string_view id) {
  responder.send(problem_for(hub::Refusal::not_found, no_such_job(id)));
}

/// The jobs of a list, as JSON.
void append_jobs(net::http::Body& body, const std::vector<hub::Reader::ListedJob>& jobs, std::string_view public_url) {
  body.append("{\"jobs\":[");
  for (const auto& listed : jobs) {
    if (&listed != &jobs.front()) body.append(",");
    append_job(body, listed.job);
    if (!listed.result_left_out) continue;
    std::string& text = body.own_text();
    text.pop_back();
    text += ",\"result_url\":";
    hub::json::append_string(text, result_url(listed.job.id, public_url));
    text += '}';
  }
  body.append("]");
}

template <typename Tag>
void append_cursor(net::http::Body& body, std::optional<hub::NumberId<Tag>> next) {
  body.append(",\"next_cursor\":");
  if (next) {
    hub::json::append_string(body.own_text(), hub::to_text(*next));
  } else {
    body.append("null");
  }
  body.append("}");
}

void send_list(const net::http::Responder& responder, net::http::Body body) {
  net::http::Response response = net::http::json_response(200, std::move(body));
  response.with("Cache-Control", "private, no-store");
  responder.send(std::move(response));
}

}  // namespace

void PollingResource::get_job(const Request& request, const hub::Principal& who, const Responder& responder) {
  const PollingOptions& options = channel_.options();
  Wait wait;
  if (!request.query.empty() || request.field("Prefer")) {
    QueryReader query(request);
    wait = take_wait(query, request, options.wait_max_s);
    if (const auto problem = query.end()) return responder.send(*problem);
  }
  const auto id = hub::JobId::parse(request.parameters[0]);
  const JobCache::Known* const known = id ? channel_.job_cache().find(*id) : nullptr;
  if (known == nullptr || !channel_.ownership().may_see(who, known->job.owner))
    return send_no_such_job(responder, request.parameters[0]);

  const hub::Job& job = known->job;
  const auto if_none_match = request.field("If-None-Match");
  const bool same = if_none_match && etag_matches(*if_none_match, job_etag(job));
  const bool worth_waiting = !is_final(job.status) && (same || !if_none_match);
  if (wait.seconds > 0 && worth_waiting) {
    if (!channel_.admit(who, responder)) return;
    return channel_.job_polls().wait(channel_.guests(), who, responder, {job.id, job.seq, same, wait});
  }
  const hub::UnixMs now = channel_.clock().now_ms();
  channel_.log().polled(job.id, {now, job.seq, who.key}, !same);
  const std::int64_t retry_after = is_final(job.status) ? 0 : retry_after_s(job, now, options.retry_after_max_s);
  responder.send(same ? unchanged(job, wait, retry_after) : whole(job, known->json, wait, retry_after));
}

void PollingResource::list(const Request& request, const hub::Principal& who, const Responder& responder) {
  QueryReader query(request);
  if (const auto ids = query.take("ids")) return list_some(query, *ids, who, responder);
  list_page(query, who, responder);
}

void PollingResource::list_some(QueryReader& query, const std::string& ids, const hub::Principal& who,
                                const Responder& responder) {
  std::vector<std::string_view> asked;
  std::unordered_set<std::string_view> seen;
  for (std::string_view rest = ids; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view id = rest.substr(0, comma);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (!id.empty() && seen.insert(id).second) asked.push_back(id);
  }
  if (asked.empty() || asked.size() > ids_max)
    query.refuse("ids", "must be 1 to " + std::to_string(ids_max) + " ids of jobs with commas between them");
  if (const auto problem = query.end()) return responder.send(*problem);

  std::vector<hub::JobId> wanted;
  for (const std::string_view text : asked) {
    if (const auto id = hub::JobId::parse(text)) wanted.push_back(*id);
  }
  const auto jobs =
      channel_.reader().jobs(channel_.ownership().sight_of(who), wanted, channel_.options().feed.page_bytes_max);
  std::unordered_set<hub::JobId, hub::JobIdHash> found;
  for (const auto& listed : jobs) {
    found.insert(listed.job.id);
    channel_.log().polled(listed.job.id, {channel_.clock().now_ms(), listed.job.seq, who.key}, true);
  }
  net::http::Body body;
  append_jobs(body, jobs, channel_.options().feed.payload.public_url);
  body.append(",\"not_found\":[");
  bool first = true;
  for (const std::string_view text : asked) {
    const auto id = hub::JobId::parse(text);
    if (id && found.contains(*id)) continue;
    if (!std::exchange(first, false)) body.append(",");
    hub::json::append_string(body.own_text(), text);
  }
  body.append("]}");
  send_list(responder, std::move(body));
}

void PollingResource::list_page(QueryReader& query, const hub::Principal& who, const Responder& responder) {
  hub::Reader::JobPage page;
  page.of = channel_.ownership().sight_of(who);
  page.looked_at_max = looked_at_max;
  page.result_bytes_max = channel_.options().feed.page_bytes_max;
  page.limit = query.take_limit("limit", jobs_default, jobs_max);
  page.before = query.take_cursor<hub::JobPlaceTag>();
  if (const auto status = query.take("status")) {
    page.status = hub::parse_job_status(*status);
    if (!page.status) query.refuse("status", "must be one of queued, running, succeeded, failed");
  }
  if (const auto problem = query.end()) return responder.send(*problem);
  const auto list = channel_.reader().jobs(page);
  net::http::Body body;
  append_jobs(body, list.jobs, channel_.options().feed.payload.public_url);
  append_cursor(body, list.next);
  send_list(responder, std::move(body));
}

void PollingResource::list_events(const Request& request, const hub::Principal& who, const Responder& responder) {
  QueryReader query(request);
  const std::size_t limit = query.take_limit("limit", events_default, events_max);
  const auto cursor = query.take_cursor<hub::EventPlaceTag>();
  if (const auto problem = query.end()) return responder.send(*problem);

  const auto job = find(channel_, request.parameters[0], who);
  if (!job) return send_no_such_job(responder, request.parameters[0]);
  const auto upto = cursor ? std::optional(hub::Seq{cursor->value}) : std::nullopt;
  const auto history = channel_.reader().history(job->id, upto, limit);
  if (!history) return send_no_such_job(responder, request.parameters[0]);
  net::http::Body body;
  std::string& text = body.own_text();
  text.append("{\"job_id\":\"").append(job->id.text()).append("\",\"events\":[");
  for (const hub::EventPtr& event : history->events) {
    if (event != history->events.front()) text += ',';
    append_event(text, *event, channel_.options().feed.payload);
  }
  text += ']';
  using EventPlace = hub::NumberId<hub::EventPlaceTag>;
  append_cursor(body, history->earlier > 0 ? std::optional(EventPlace{history->earlier}) : std::nullopt);
  send_list(responder, std::move(body));
}

}  // namespace carillon::channels::polling
