#include <algorithm>
#include <set>
#include <utility>

#include "tests/model/told.h"
#include "tests/model/trial.h"
#include "tests/model/trial_error.h"

namespace carillon::model {

std::string Trial::body_of(const Wanted& wanted, std::optional<hub::JobStatus> status) const {
  std::string body;
  const auto add = [&](const char* name, const std::string& json) {
    if (json.empty()) return;
    body.append(body.empty() ? "" : ",").append("\"").append(name).append("\":").append(json);
  };
  if (status) add("status", "\"" + std::string(hub::to_text(*status)) + "\"");
  add("result", wanted.change.result);
  add("error", wanted.change.error);
  add("progress", wanted.change.progress);
  return "{" + body + "}";
}

Trial::Report Trial::make_report() {
  const hub::JobId id = *any_job();
  const Reference::Job& job = *reference_.find(id);
  Report report;
  report.by = &any_reporter(id);
  Wanted& wanted = report.wanted;
  wanted.change.job = id;
  wanted.change.owner = job.owner;
  const std::string unique = std::to_string(dice_.below(1'000'000'000));
  using enum hub::JobStatus;
  std::optional<hub::JobStatus> status;
  switch (dice_.below(8)) {
    case 0:
    case 1:
    case 2:
      status = running;
      break;
    case 3:
    case 4:
      status = succeeded;
      wanted.change.result = "{\"r\":" + unique + "}";
      break;
    case 5:
      status = failed;
      wanted.change.error = "\"e " + unique + "\"";
      break;
    case 6:
      break;  // progress alone
    default:
      status = queued;
  }
  if (!status || (*status == running && dice_.one_in(2))) wanted.change.progress = "{\"p\":" + unique + "}";
  wanted.verdict = reference_.judge(*report.by, id, status, !wanted.change.progress.empty());
  wanted.change.status = status.value_or(running);
  wanted.change.kind = wanted.verdict.event.value_or(hub::kind_of(wanted.change.status));
  report.body = body_of(wanted, status);
  return report;
}

void Trial::submit() {
  const Caller& who = any_client();
  Wanted wanted;
  wanted.change.job = new_job();
  wanted.change.owner = who.place;
  wanted.verdict = {201, hub::EventKind::queued};
  const std::string body = R"({"job_id":")" + wanted.change.job.text() + "\"}";
  std::string fields;
  std::string once;
  if (dice_.one_in(3)) {
    once = "once-" + std::to_string(dice_.number());
    fields = "Idempotency-Key: " + once + "\r\n";
  }
  say(who.name + " submits " + short_of(wanted.change.job) + (once.empty() ? "" : " once"));
  const auto answer = ask(who, "POST", "/jobs", body, fields);
  conclude(wanted, answer);
  if (!once.empty() && answer && answer->status == 201) {
    submitted_once_.push_back({&who, once, body, reference_.last()});
  }
}

void Trial::submit_again() {
  if (submitted_once_.empty()) return;
  const Once& once = dice_.pick(submitted_once_);
  say(once.by->name + " submits again what became " + std::to_string(once.seq));
  const auto answer = ask(*once.by, "POST", "/jobs", once.body, "Idempotency-Key: " + once.key + "\r\n");
  if (!answer || (answer->status == 503 && fault_armed_)) return;
  if (answer->status != 201 || Told(answer->body).number("seq") != once.seq) {
    throw Divergence("submitted twice: " + std::to_string(answer->status) + " " + answer->body);
  }
}

void Trial::report() {
  if (!any_job()) return;
  const Report report = make_report();
  const hub::JobId& job = report.wanted.change.job;
  const std::string path = "/jobs/" + job.text();
  const bool looks_too = dice_.one_in(3);  // in the same breath: it waits for its turn behind the report
  say(report.by->name + " reports " + short_of(job) + " " + report.body + (looks_too ? " and looks" : ""));
  HttpClient& client = client_of(*report.by);
  std::string requests = http_request("PATCH", path, report.by->key, {}, report.body);
  if (looks_too) requests += http_request("GET", path, report.by->key, {}, {});
  client.send(requests);
  conclude(report.wanted, await_answer(client));
  if (looks_too) judge_job(job, await_answer(client));
}

/// As one request: each is judged by where those before it have brought its job, so each is of another job.
void Trial::report_many() {
  if (!any_job()) return;
  const Caller& worker = callers_[3];
  std::vector<Report> reports;
  std::set<hub::JobId> jobs;
  std::string body;
  for (int i = dice_.between(1, 6); i > 0; --i) {
    Report report = make_report();
    if (!jobs.insert(report.wanted.change.job).second) continue;
    body += (body.empty() ? "{\"job_id\":\"" : ",{\"job_id\":\"") + report.wanted.change.job.text() + "\"";
    if (report.body.size() > 2) body += "," + report.body.substr(1, report.body.size() - 2);
    body += "}";
    reports.push_back(std::move(report));
  }
  say("worker reports on " + std::to_string(reports.size()) + " at once: " + body);
  const auto answer = ask(worker, "POST", "/jobs/updates", "{\"updates\":[" + body + "]}");
  if (!answer || answer->status != 200) {
    for (const Report& report : reports) conclude(report.wanted, answer);
    return;
  }
  const Told list(answer->body);
  const auto outcomes = list.list("results");
  if (outcomes.size() != reports.size()) throw Divergence("not an outcome each: " + answer->body);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const Told outcome(outcomes[i].text);
    Answer one;
    one.status = static_cast<int>(outcome.number("status"));
    one.body = outcomes[i].text;
    conclude(reports[i].wanted, one);
  }
}

/// Several at the same time: what the hub makes of them is judged by the numbers it gives.
void Trial::burst() {
  struct UnderWay {
    Report report;
    std::unique_ptr<HttpClient> client;
    std::optional<Answer> answer;
    hub::Seq seq = 0;
  };
  std::vector<UnderWay> all;
  const int count = dice_.between(2, 7);
  for (int i = 0; i < count; ++i) {
    UnderWay one;
    if (!any_job() || dice_.one_in(4)) {
      const Caller& who = any_client();
      one.report.by = &who;
      one.report.wanted.change.job = new_job();
      one.report.wanted.change.owner = who.place;
      one.report.wanted.verdict = {201, hub::EventKind::queued};
    } else {
      one.report = make_report();
    }
    one.client = std::make_unique<HttpClient>(connect());
    all.push_back(std::move(one));
  }
  say("at once:");
  for (UnderWay& one : all) {
    const auto& change = one.report.wanted.change;
    if (one.report.body.empty()) {
      say("  " + one.report.by->name + " submits " + short_of(change.job));
      one.client->send(
          http_request("POST", "/jobs", one.report.by->key, {}, R"({"job_id":")" + change.job.text() + "\"}"));
    } else {
      say("  " + one.report.by->name + " reports " + short_of(change.job) + " " + one.report.body);
      one.client->send(http_request("PATCH", "/jobs/" + change.job.text(), one.report.by->key, {}, one.report.body));
    }
    // Who begins to listen meanwhile is told all the same.
    if (!listeners_.empty() && !one.report.body.empty() && dice_.one_in(2)) {
      Listener& listener = *dice_.pick(listeners_);
      const Reference::Job* job = reference_.find(change.job);
      if (reference_.may_see(listener.who(), *job)) {
        say("  " + listener.who().name + " subscribes to it");
        listener.subscribe(change.job);
      }
    }
  }
  for (UnderWay& one : all) {
    one.answer = await_answer(*one.client);
    if (one.answer && (one.answer->status == 200 || one.answer->status == 201)) {
      one.seq = Told(one.answer->body).number("seq");
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
  // Of those that were given the same number one has made the event, and the others have found it so.
  const auto made = [](const UnderWay& one) {
    const Change told = Told(one.answer->body).change();
    const Change& change = one.report.wanted.change;
    const bool running = told.status == hub::JobStatus::running;  // one that has ended keeps its last progress
    return told.status == change.status && told.result == change.result && told.error == change.error &&
           (!running || told.progress == change.progress);
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    UnderWay& one = all[i];
    Wanted& wanted = one.report.wanted;
    if (one.seq == 0) {
      if (!one.answer || one.answer->status == 503) {
        if (!fault_armed_) throw Divergence("503 with nothing in the way");
        say("  perhaps " + to_text(wanted.change));
        maybes_.push_back(wanted.change);
      } else if (one.answer->status != 409) {
        throw Divergence("answered " + std::to_string(one.answer->status) + " " + one.answer->body);
      }
      continue;
    }
    const Change* known = reference_.at(one.seq);
    if (known != nullptr) {
      if (known->job != wanted.change.job) throw Divergence("a number twice: " + one.answer->body);
      continue;
    }
    if (one.seq <= reference_.last() || !made(one)) {
      // The job's own last event, found so; or another of the same number is the one.
      const bool another = std::any_of(all.begin() + static_cast<std::ptrdiff_t>(i), all.end(), [&](const auto& other) {
        return &other != &one && other.seq == one.seq && made(other);
      });
      if (!another) throw Divergence("whose event is it? " + one.answer->body);
      std::swap(all[i], *std::find_if(all.begin() + static_cast<std::ptrdiff_t>(i) + 1, all.end(),
                                      [&](const auto& other) { return other.seq == one.seq && made(other); }));
    }
    Change change = all[i].report.wanted.change;
    change.seq = all[i].seq;
    const Reference::Job* job = reference_.find(change.job);
    if (job != nullptr && change.kind != hub::EventKind::queued) {
      const bool again = job->status == hub::JobStatus::running && change.status == hub::JobStatus::running;
      change.kind = again ? hub::EventKind::progress : hub::kind_of(change.status);
    }
    say("  became " + to_text(change));
    reference_.accept(std::move(change));
  }
}

/// A request whose answer is never read: it was done, or not.
void Trial::cut_request() {
  if (!any_job()) return;
  const Report report = make_report();
  const std::string request =
      http_request("PATCH", "/jobs/" + report.wanted.change.job.text(), report.by->key, {}, report.body);
  const std::size_t bytes = dice_.one_in(2) ? request.size() : dice_.below(request.size());
  say(report.by->name + " reports " + short_of(report.wanted.change.job) + " " + report.body +
      ", and is cut off after " + std::to_string(bytes) + " of " + std::to_string(request.size()) + " bytes");
  HttpClient client(connect());
  client.send(std::string_view(request).substr(0, bytes));
  if (dice_.one_in(2)) hub_->settle();
  client.wire().reset();
  arrivals_.await(patience_.answer, [&] { return client.wire().left_by_hub(); });
  hub_->settle();
  if (!report.wanted.verdict.event) return;
  const auto answer = ask(callers_[3], "GET", "/jobs/" + report.wanted.change.job.text());
  if (!answer || answer->status != 200) throw Divergence("a job is not there");
  const hub::Seq seq = Told(answer->body).number("seq");
  if (seq == reference_.last_of(*reference_.find(report.wanted.change.job))) return;
  if (bytes < request.size()) throw Divergence("half a request was done");
  conclude(report.wanted, answer);
}

/// What belongs to others is as if it were not there.
void Trial::try_foreign() {
  const auto id = any_job();
  if (!id) return;
  const Reference::Job& job = *reference_.find(*id);
  const Caller& who = callers_[(job.owner + 1 + dice_.below(2)) % 3];
  say(who.name + " tries " + short_of(*id) + ", which is another's");
  const std::string path = "/jobs/" + id->text();
  std::optional<Answer> answer;
  switch (dice_.below(4)) {
    case 0:
      answer = ask(who, "GET", path);
      break;
    case 1:
      answer = ask(who, "PATCH", path, R"({"status":"failed","error":"x"})");
      break;
    case 2:
      answer = ask(who, "GET", path + "/events");
      break;
    default:
      if (!listeners_.empty()) {
        Listener& listener = *dice_.pick(listeners_);
        if (!listener.stalled) listener.subscribe(*id);
      }
      return;
  }
  if (fault_armed_ && (!answer || answer->status == 503)) return;
  if (!answer || answer->status != 404) throw Divergence("another's job: " + (answer ? answer->body : std::string()));
}

void Trial::conclude(const Wanted& wanted, const std::optional<Answer>& answer) {
  if (!answer || answer->status == 503) {
    if (!fault_armed_) throw Divergence("refused with nothing in the way: " + (answer ? answer->body : "cut off"));
    if (wanted.verdict.event) maybes_.push_back(wanted.change);
    return;
  }
  const auto shown = [&] { return std::to_string(answer->status) + " " + answer->body; };
  if (answer->status != wanted.verdict.http_status) {
    throw Divergence("answered " + shown() + ", not " + std::to_string(wanted.verdict.http_status));
  }
  if (answer->status >= 400) return;
  const hub::Seq seq = Told(answer->body).number("seq");
  const Reference::Job* job = reference_.find(wanted.change.job);
  if (!wanted.verdict.event) {
    if (seq != reference_.last_of(*job)) throw Divergence("nothing was to change: " + shown());
    return;
  }
  Change change = wanted.change;
  change.seq = seq;
  say("  became " + to_text(change));
  reference_.accept(std::move(change));
  maybes_.clear();
}

}  // namespace carillon::model
