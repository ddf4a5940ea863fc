#include "tests/model/trial.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <utility>

#include "hub/sha256.h"
#include "storage/sqlite/store.h"
#include "tests/model/told.h"
#include "tests/model/trial_error.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::model {
namespace {

constexpr std::int64_t ms_per_s = 1'000;

constexpr std::array disk_faults{DiskFault::full,       DiskFault::io_error,  DiskFault::short_write,
                                 DiskFault::sync_error, DiskFault::sync_lost, DiskFault::read_error,
                                 DiskFault::busy};

std::string short_of(const hub::JobId& job) { return job.text().substr(0, 8); }

}  // namespace

// --- the database that all begin with --------------------------------------------------------------------------------

Template::Template(const std::filesystem::path& folder) : folder_(folder) {
  using storage::sqlite::TestListener;
  const hub::Rules rules(hub::Ownership(hub::OwnershipScope::key));
  const Time time;
  std::filesystem::create_directories(folder_);
  Disk::get();
  storage::sqlite::StoreOptions options;
  options.path = (folder_ / "carillon.db").string();
  const auto store = storage::sqlite::open_store(options, rules, time);
  TestListener home;
  store->add(home);
  for (const char* name : {"one", "other"}) {
    bool done = false;
    store->create_account(name, home, [&](const hub::Outcome<hub::Account>&) { done = true; });
    home.run_until([&] { return done; });
  }
  const auto make = [&](const char* name, const char* account, hub::Role role) {
    Caller caller{name, "sk_live_", role, callers_.size()};
    caller.key.append(32, name[0]).append(name);
    hub::NewKey wanted;
    wanted.account = account;
    wanted.role = role;
    wanted.hash = hub::sha256(caller.key);
    bool done = false;
    store->create_key(wanted, home, [&](const hub::Outcome<hub::Key>&) { done = true; });
    home.run_until([&] { return done; });
    callers_.push_back(std::move(caller));
  };
  make("anna", "one", hub::Role::client);
  make("bert", "one", hub::Role::client);
  make("carl", "other", hub::Role::client);
  make("worker", "one", hub::Role::worker);
  store->remove(home);
}

void Template::copy_to(const std::filesystem::path& folder) const {
  std::filesystem::remove_all(folder);
  std::filesystem::copy(folder_, folder, std::filesystem::copy_options::recursive);
}

// --- a trial ---------------------------------------------------------------------------------------------------------

Trial::Trial(std::uint64_t seed, const Template& from, std::filesystem::path folder, Patience patience, bool talks)
    : seed_(seed),
      dice_(seed * 0x9E3779B97F4A7C15ULL + 1),
      callers_(from.callers()),
      folder_(std::move(folder)),
      patience_(patience),
      talks_(talks),
      loops_(dice_.one_in(2) ? 1 : 2) {
  if (dice_.one_in(3)) weather_.piece_bytes_max = 1 + dice_.below(40);
  if (dice_.one_in(3)) weather_.storm_one_in = 2 + dice_.below(6);
  for (const DiskFault fault : disk_faults) {
    if (dice_.one_in(2)) faults_.push_back(fault);
  }
  Disk::get().disarm();
  Disk::get().forget();
  from.copy_to(folder_);
}

Trial::~Trial() {
  listeners_.clear();
  polls_.clear();
  hub_.reset();
  Disk::get().disarm();
}

void Trial::say(std::string line) {
  line = std::to_string(++said_) + ": " + std::move(line);
  if (talks_) std::printf("  %s\n", line.c_str());
  story_.push_back(std::move(line));
}

void Trial::run() {
  endpoints_ = std::make_unique<Endpoints>(arrivals_, seed_);
  start();
  using Operation = void (Trial::*)();
  // Each trial has a mixture of its own: what is rare beside much else is common in some.
  struct Weighed {
    Operation operation;
    std::size_t weight;
  };
  std::vector<Weighed> mixture{
      {&Trial::submit, 6},        {&Trial::report, 10},       {&Trial::burst, 3},         {&Trial::look_at_job, 2},
      {&Trial::look_at_feed, 2},  {&Trial::listen, 3},        {&Trial::subscribe, 5},     {&Trial::report_many, 2},
      {&Trial::submit_again, 1},  {&Trial::wait_for_job, 2},  {&Trial::wait_for_feed, 2}, {&Trial::unsubscribe, 1},
      {&Trial::drop, 2},          {&Trial::resume, 3},        {&Trial::stall, 1},         {&Trial::register_hook, 2},
      {&Trial::change_manner, 2}, {&Trial::let_time_pass, 2}, {&Trial::cut_request, 1},   {&Trial::restart, 1},
      {&Trial::fail_disk, 3},     {&Trial::try_foreign, 2}};
  for (Weighed& one : mixture) one.weight *= dice_.below(4);
  mixture.push_back({&Trial::submit, 3});
  mixture.push_back({&Trial::report, 4});
  std::size_t all = 0;
  for (const Weighed& one : mixture) all += one.weight;
  const int operations = dice_.between(15, 45);
  int crashes_left = dice_.between(0, 3);
  const std::uint64_t sequence = dice_.number();
  for (int i = 0; i < operations; ++i) {
    // Dice of its own for each, so that what a thread decided in one does not change all that follow.
    dice_ = Dice(sequence + static_cast<std::uint64_t>(i));
    if (crashes_left > 0 && dice_.one_in(12)) {
      --crashes_left;
      crash(dice_.one_in(2));
    } else {
      std::size_t at = dice_.below(all);
      std::size_t which = 0;
      while (at >= mixture[which].weight) at -= mixture[which++].weight;
      (this->*mixture[which].operation)();
    }
    check_polls();
    check_listeners();
  }
  check_hooks_at_the_end();
  for (const Caller& who : callers_) {
    if (who.role == hub::Role::client) check_feed(who);
  }
  if (dice_.one_in(2)) {
    say("in the end the power goes");
    stop(true, true);
    start();
    reconcile();
  }
}

// --- the way to the hub ----------------------------------------------------------------------------------------------

std::shared_ptr<Wire> Trial::connect() { return hub_->connect(arrivals_, weather_, dice_.number()); }

HttpClient& Trial::client_of(const Caller& who) {
  auto& client = clients_[who.place];
  if (!client || client->ended() || dice_.one_in(10)) client = std::make_unique<HttpClient>(connect());
  return *client;
}

std::optional<Answer> Trial::await_answer(HttpClient& client) {
  std::optional<Answer> answer;
  const bool came = arrivals_.await(patience_.answer, [&] {
    answer = client.next();
    return answer || client.ended();
  });
  if (!came) throw Divergence("no answer from the hub");
  return answer;
}

std::optional<Answer> Trial::ask(const Caller& who, std::string_view method, const std::string& path,
                                 const std::string& body, const std::string& fields) {
  HttpClient& client = client_of(who);
  client.send(http_request(method, path, who.key, fields, body));
  return await_answer(client);
}

// --- what is asked ---------------------------------------------------------------------------------------------------

const Caller& Trial::any_client() { return callers_[dice_.below(3)]; }

/// One of the latest: these are the ones that still move.
std::optional<hub::JobId> Trial::any_job() {
  constexpr std::size_t latest = 8;
  std::vector<hub::JobId> some;
  for (auto job = made_.rbegin(); job != made_.rend() && some.size() < latest; ++job) {
    if (reference_.find(*job) != nullptr) some.push_back(*job);
  }
  if (some.empty()) return std::nullopt;
  return dice_.pick(some);
}

const Caller& Trial::any_reporter(const hub::JobId& job) {
  if (dice_.one_in(2)) return callers_[3];
  return callers_[reference_.find(job)->owner];
}

hub::JobId Trial::new_job() {
  hub::JobId job;
  for (auto& byte : job.bytes) byte = static_cast<std::uint8_t>(dice_.number());
  made_.push_back(job);
  return job;
}

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

// --- operations ------------------------------------------------------------------------------------------------------

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
  say(report.by->name + " reports " + short_of(report.wanted.change.job) + " " + report.body);
  conclude(report.wanted, ask(*report.by, "PATCH", "/jobs/" + report.wanted.change.job.text(), report.body));
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

void Trial::look_at_job() {
  const auto job = any_job();
  if (!job) return;
  const Caller& who = any_reporter(*job);
  say(who.name + " looks at " + short_of(*job));
  check_job(who, *job);
}

void Trial::check_job(const Caller& who, const hub::JobId& id) {
  const Reference::Job& job = *reference_.find(id);
  const auto answer = ask(who, "GET", "/jobs/" + id.text());
  if (fault_armed_ && (!answer || answer->status == 503)) return;
  if (!answer || answer->status != 200) throw Divergence("a job is not there: " + id.text());
  const Change told = Told(answer->body).change();
  if (told.seq != reference_.last_of(job) || told.status != job.status || told.result != job.result ||
      told.error != job.error || told.progress != job.progress) {
    throw Divergence("the job stands otherwise, at " + std::to_string(reference_.last_of(job)) + ": " + answer->body);
  }
}

void Trial::look_at_feed() {
  const Caller& who = any_client();
  say(who.name + " reads the feed");
  check_feed(who);
}

/// From a random place, in pages.
void Trial::check_feed(const Caller& who) {
  hub::Seq after =
      dice_.one_in(2) ? 0 : static_cast<hub::Seq>(dice_.below(static_cast<std::size_t>(reference_.last()) + 1));
  const auto wanted = reference_.of_owner(who.place, after);
  std::size_t at = 0;
  for (bool more = true; more;) {
    const auto answer =
        ask(who, "GET", "/events?after=" + std::to_string(after) + "&limit=" + std::to_string(dice_.between(1, 50)));
    if (fault_armed_ && (!answer || answer->status == 503)) return;
    if (!answer || answer->status != 200) {
      throw Divergence("no feed: " + (answer ? std::to_string(answer->status) + answer->body : std::string()));
    }
    const Told page(answer->body);
    for (const auto& element : page.list("events")) {
      const Told event(element.text);
      const Change told = Told(event.json("data")).change();
      if (at == wanted.size() || event.number("seq") != wanted[at]->seq ||
          !told.says_the_same({wanted[at]->seq, wanted[at]->job, 0, told.kind, told.status, wanted[at]->result,
                               wanted[at]->error, wanted[at]->progress}) ||
          event.text("type") != hub::to_text(wanted[at]->kind)) {
        throw Divergence("the feed says " + std::string(element.text) + " for " +
                         (at == wanted.size() ? "nothing" : to_text(*wanted[at])));
      }
      ++at;
    }
    after = page.number("next_after");
    more = page.boolean("has_more");
  }
  if (at != wanted.size()) throw Divergence("the feed does not have " + to_text(*wanted[at]));
}

void Trial::wait_for_job() {
  const auto id = any_job();
  if (!id || polls_.size() > 6) return;
  const Reference::Job& job = *reference_.find(*id);
  Poll poll;
  poll.who = &callers_[job.owner];
  poll.job = *id;
  std::string fields;
  if (dice_.one_in(2)) {
    poll.after = reference_.last_of(job);
    fields = "If-None-Match: \"" + std::to_string(*poll.after) + "\"\r\n";
  }
  const int wait_s = dice_.between(5, 60);
  poll.ends_ms = time_.passed_ms() + wait_s * ms_per_s;
  poll.client = std::make_unique<HttpClient>(connect());
  say(poll.who->name + " waits for " + short_of(*id) + (poll.after ? " to change" : " to end"));
  poll.client->send(
      http_request("GET", "/jobs/" + id->text() + "?wait=" + std::to_string(wait_s), poll.who->key, fields, {}));
  if (dice_.one_in(2)) hub_->settle();  // else it may come to wait while the next change is under way
  polls_.push_back(std::move(poll));
}

void Trial::wait_for_feed() {
  if (polls_.size() > 6) return;
  Poll poll;
  poll.of_feed = true;
  poll.who = &any_client();
  poll.after = reference_.last();
  const int wait_s = dice_.between(5, 60);
  poll.ends_ms = time_.passed_ms() + wait_s * ms_per_s;
  poll.client = std::make_unique<HttpClient>(connect());
  say(poll.who->name + " waits at the feed");
  poll.client->send(http_request("GET",
                                 "/events?after=" + std::to_string(*poll.after) + "&wait=" + std::to_string(wait_s),
                                 poll.who->key, {}, {}));
  if (dice_.one_in(2)) hub_->settle();
  polls_.push_back(std::move(poll));
}

/// Whoever is to be woken is; and what he is told is so.
void Trial::check_polls() {
  std::erase_if(polls_, [&](Poll& poll) {
    const Reference::Job* job = poll.of_feed ? nullptr : reference_.find(poll.job);
    const bool over = time_.passed_ms() >= poll.ends_ms;
    bool changed = false;
    if (poll.of_feed) {
      changed = !reference_.of_owner(poll.who->place, *poll.after).empty();
    } else {
      changed = poll.after ? reference_.last_of(*job) > *poll.after : hub::is_final(job->status);
    }
    std::optional<Answer> answer;
    if (over || changed) {
      answer = await_answer(*poll.client);
      if (!answer) throw Divergence("a poll that waits was cut off");
    } else {
      answer = poll.client->next();
      if (!answer) return false;
    }
    if (answer->status == 503 && (fault_armed_ || poll.may_be_refused)) return true;
    if (answer->status == 304) {
      const bool will_not_change = job != nullptr && hub::is_final(job->status);
      if (poll.of_feed || !poll.after || !(over || will_not_change)) throw Divergence("304 before its time");
      return true;
    }
    if (answer->status != 200) throw Divergence("a poll is answered " + std::to_string(answer->status));
    const Told told(answer->body);
    if (poll.of_feed) {
      const auto wanted = reference_.of_owner(poll.who->place, *poll.after);
      const auto events = told.list("events");
      if (events.empty() && !over) throw Divergence("an empty page before its time");
      for (std::size_t i = 0; i < events.size(); ++i) {
        if (i >= wanted.size() || Told(events[i].text).number("seq") != wanted[i]->seq) {
          throw Divergence("the feed told " + std::string(events[i].text));
        }
      }
      return true;
    }
    const Change* event = reference_.at(told.number("seq"));
    if (event == nullptr || event->job != poll.job) throw Divergence("a poll told " + answer->body);
    const bool as_wanted = poll.after ? event->seq > *poll.after : hub::is_final(event->status);
    if (!as_wanted && !over) throw Divergence("a poll was answered too early: " + answer->body);
    return true;
  });
}

void Trial::listen() {
  if (listeners_.size() > 5) return;
  const Caller& who = dice_.one_in(5) ? callers_[3] : any_client();
  const bool resumes = !dice_.one_in(3);
  say(who.name + " listens" + (resumes ? ", to resume" : ""));
  listeners_.push_back(std::make_unique<Listener>(reference_, who, connect(), resumes));
}

void Trial::subscribe() {
  if (listeners_.empty()) return;
  Listener& listener = *dice_.pick(listeners_);
  if (listener.stalled) return;
  if (dice_.one_in(3)) {
    say(listener.who().name + " subscribes to all");
    return listener.subscribe_to_all();
  }
  const auto job = any_job();
  if (!job) return;
  say(listener.who().name + " subscribes to " + short_of(*job));
  listener.subscribe(*job);
}

void Trial::unsubscribe() {
  if (listeners_.empty()) return;
  Listener& listener = *dice_.pick(listeners_);
  if (listener.stalled) return;
  if (listener.hears_all() && dice_.one_in(2)) {
    say(listener.who().name + " unsubscribes from all");
    return listener.unsubscribe_from_all();
  }
  if (listener.jobs().empty()) return;
  const hub::JobId job =
      std::next(listener.jobs().begin(), static_cast<std::ptrdiff_t>(dice_.below(listener.jobs().size())))->first;
  say(listener.who().name + " unsubscribes from " + short_of(job));
  listener.unsubscribe(job);
}

void Trial::drop() {
  if (listeners_.empty()) return;
  const std::size_t which = dice_.below(listeners_.size());
  Listener& listener = *listeners_[which];
  say(listener.who().name + " drops its connection");
  if (listener.resumes()) {
    Lost lost{&listener.who(), listener.jobs(), {}};
    if (listener.hears_all()) lost.all = listener.told_of_all();
    lost_.push_back(std::move(lost));
  }
  dice_.one_in(2) ? listener.wire().close() : listener.wire().reset();
  listeners_.erase(listeners_.begin() + static_cast<std::ptrdiff_t>(which));
}

void Trial::resume() {
  if (lost_.empty() || listeners_.size() > 6) return;
  const Lost lost = std::move(lost_.back());
  lost_.pop_back();
  say(lost.who->name + " resumes");
  auto listener = std::make_unique<Listener>(reference_, *lost.who, connect(), true);
  if (lost.all) {
    listener->subscribe_to_all(lost.all, hub_->epoch());
  } else {
    for (const auto& [job, after] : lost.jobs) listener->subscribe(job, after, hub_->epoch());
  }
  listeners_.push_back(std::move(listener));
}

void Trial::stall() {
  if (listeners_.empty()) return;
  Listener& listener = *dice_.pick(listeners_);
  listener.stalled = !listener.stalled;
  say(listener.who().name + (listener.stalled ? " does not read any more" : " reads again"));
  listener.wire().set_window(listener.stalled ? 0 : weather_.window_bytes);
}

void Trial::register_hook() {
  if (hooks_.size() > 4) return;
  const Caller& who = any_client();
  Hook hook;
  hook.owner = who.place;
  hook.ordered = dice_.one_in(3);
  std::string kinds;
  for (const auto kind : {hub::EventKind::queued, hub::EventKind::running, hub::EventKind::progress,
                          hub::EventKind::succeeded, hub::EventKind::failed}) {
    if (!dice_.one_in(2) && (kind != hub::EventKind::failed || !hook.kinds.empty())) continue;
    hook.kinds.push_back(kind);
    kinds.append(kinds.empty() ? "\"" : ",\"").append(hub::to_text(kind)).append("\"");
  }
  const std::size_t place = hooks_.size();
  const Manner manner = dice_.one_in(2) ? Manner::well : static_cast<Manner>(dice_.below(6));
  endpoints_->behave(place, manner);
  say(who.name + " registers webhook " + std::to_string(place) + (hook.ordered ? ", ordered" : "") + ", manner " +
      std::to_string(static_cast<int>(manner)) + " of " + kinds);
  const auto answer = ask(who, "POST", "/webhooks",
                          R"({"url":")" + endpoints_->url(place) + R"(","events":[)" + kinds + R"(],"ordered":)" +
                              (hook.ordered ? "true" : "false") + R"(,"headers":{")" + Endpoints::header + R"(":")" +
                              std::to_string(place) + "\"}}");
  hook.since = reference_.last();
  hook.certain = answer && answer->status == 201;
  if (!hook.certain && !(fault_armed_ && (!answer || answer->status == 503))) {
    throw Divergence("not registered: " + (answer ? answer->body : std::string()));
  }
  hooks_.push_back(std::move(hook));
}

void Trial::change_manner() {
  if (hooks_.empty()) return;
  const std::size_t place = dice_.below(hooks_.size());
  const auto manner = static_cast<Manner>(dice_.below(6));
  say("webhook " + std::to_string(place) + " has manner " + std::to_string(static_cast<int>(manner)));
  endpoints_->behave(place, manner);
}

void Trial::let_time_pass() {
  const std::int64_t s = dice_.one_in(4) ? dice_.between(20, 120) : dice_.between(1, 8);
  say(std::to_string(s) + " s pass");
  // So is who is sent what is on its way piece by piece when the time jumps.
  const bool rough = weather_.piece_bytes_max > 0 || weather_.storm_one_in > 0;
  for (const auto& listener : listeners_) listener->may_be_closed_as_slow |= listener->stalled || rough;
  // What was sent before is read before.
  for (const Poll& poll : polls_) {
    arrivals_.await(patience_.answer, [&] { return poll.client->wire().all_read(); });
  }
  hub_->settle();
  time_.pass(s * ms_per_s);
  hub_->time_has_passed();
  hub_->settle();
  std::erase_if(clients_, [](auto& entry) { return entry.second->ended(); });
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

/// Something fails once or for a while, in the middle of an operation.
void Trial::fail_disk() {
  if (faults_.empty()) return;
  const DiskFault fault = dice_.pick(faults_);
  const int nth = dice_.between(1, 4);
  const int times = fault == DiskFault::busy ? 3 : dice_.one_in(2) ? 1 : 1'000'000;
  say("the disk: " + std::string(to_text(fault)) + " at the " + std::to_string(nth) + ". call, " +
      (times == 1 ? "once" : "until it is well again"));
  Disk::get().arm(fault, nth, times);
  fault_armed_ = true;
  quiet_ = false;
  for (const auto& listener : listeners_) listener->may_be_told_to_try_again = true;
  for (Poll& poll : polls_) poll.may_be_refused = true;
  for (int i = dice_.between(1, 3); i > 0; --i) {
    switch (dice_.below(5)) {
      case 0:
        submit();
        break;
      case 1:
        burst();
        break;
      case 2:
        register_hook();
        break;
      case 3:
        look_at_feed();
        break;
      default:
        report();
    }
  }
  hub_->settle();
  Disk::get().disarm();
  fault_armed_ = false;
  say("the disk is well again");
  // What was refused has not happened.
  for (const Change& maybe : maybes_) {
    const Reference::Job* job = reference_.find(maybe.job);
    if (job != nullptr) check_job(callers_[3], maybe.job);
  }
  adopt_hooks();
}

// --- its end and its beginning ---------------------------------------------------------------------------------------

void Trial::start() {
  try {
    hub_ = std::make_unique<RunningHub>(folder_.string(), time_, loops_);
  } catch (const hub::StoreError& error) {
    throw Divergence(std::string("the hub does not start: ") + error.what());
  }
}

void Trial::stop(bool kill, bool power) {
  if (kill) Disk::get().cut();
  if (!kill) hub_->drain();
  // Whatever was told of must be there when it is back.
  for (const auto& listener : listeners_) {
    listener->take_in();
    for (const std::string& frame : listener->unexplained()) {
      const Told told(frame);
      if (told.text("type") == "job_update" && listener->resumes()) told_ahead_.push_back(told.change());
    }
    if (!listener->resumes()) continue;
    Lost lost{&listener->who(), listener->jobs(), {}};
    if (listener->hears_all()) lost.all = listener->told_of_all();
    lost_.push_back(std::move(lost));
  }
  listeners_.clear();
  polls_.clear();
  clients_.clear();
  hub_.reset();
  Disk::get().disarm();
  if (power) Disk::get().lose_power(dice_);
}

void Trial::restart() {
  say("the hub is ended and begun again");
  stop(false, false);
  start();
  reconcile();
}

/// In the middle of things: some have been answered, some are under way.
void Trial::crash(bool power) {
  const int nth = dice_.between(1, 6);
  say(std::string(power ? "the power goes" : "the hub is killed") + " at the " + std::to_string(nth) +
      ". call of the disk");
  Disk::get().arm(DiskFault::dead, nth, 1);
  fault_armed_ = true;
  quiet_ = false;
  for (const auto& listener : listeners_) listener->may_be_told_to_try_again = true;
  dice_.one_in(2) ? burst() : report();
  if (dice_.one_in(2)) submit();
  stop(true, power);
  fault_armed_ = false;
  start();
  reconcile();
}

/// What the hub has after a restart: all that was answered, and of what was under way whole changes or nothing.
void Trial::reconcile() {
  std::vector<Change> found;
  for (const Caller& who : callers_) {
    if (who.role != hub::Role::client) continue;
    const auto wanted = reference_.of_owner(who.place, 0);
    std::size_t at = 0;
    hub::Seq after = 0;
    for (bool more = true; more;) {
      const auto answer = ask(who, "GET", "/events?after=" + std::to_string(after) + "&limit=1000");
      if (!answer || answer->status != 200) throw Divergence("no feed after the restart");
      const Told page(answer->body);
      for (const auto& element : page.list("events")) {
        const Told event(element.text);
        Change told = Told(event.json("data")).change();
        told.owner = who.place;
        const auto kind = hub::parse_event_kind(event.text("type"));
        if (!kind) throw Divergence("an event of no kind: " + std::string(element.text));
        told.kind = *kind;
        if (at < wanted.size()) {
          if (wanted[at]->seq != told.seq || !wanted[at]->says_the_same(told)) {
            throw Divergence("after the restart " + to_text(told) + " in the place of " + to_text(*wanted[at]));
          }
          ++at;
          continue;
        }
        const auto maybe =
            std::find_if(maybes_.begin(), maybes_.end(), [&](const Change& one) { return one.may_be(told); });
        if (maybe == maybes_.end()) throw Divergence("after the restart there is " + to_text(told));
        maybes_.erase(maybe);
        found.push_back(told);
      }
      after = page.number("next_after");
      more = page.boolean("has_more");
    }
    if (at < wanted.size()) throw Divergence("lost: " + to_text(*wanted[at]));
  }
  std::sort(found.begin(), found.end(), [](const Change& a, const Change& b) { return a.seq < b.seq; });
  for (Change& change : found) {
    say("  found " + to_text(change));
    reference_.accept(std::move(change));
  }
  maybes_.clear();
  for (const Change& told : std::exchange(told_ahead_, {})) {
    const Change* event = reference_.at(told.seq);
    if (event == nullptr || event->job != told.job || event->status != told.status) {
      throw Divergence("it was told, and is not there: " + to_text(told));
    }
  }
  adopt_hooks();
}

/// Those whose registration was not answered are there, or not.
void Trial::adopt_hooks() {
  for (std::size_t place = 0; place < hooks_.size(); ++place) {
    Hook& hook = hooks_[place];
    const auto answer = ask(callers_[hook.owner], "GET", "/webhooks?limit=100");
    if (!answer || answer->status != 200)
      throw Divergence("no list of webhooks: " + (answer ? std::to_string(answer->status) + answer->body : "cut off"));
    const Told list(answer->body);
    bool there = false;
    for (const auto& element : list.list("webhooks")) {
      there = there || Told(element.text).text("url") == endpoints_->url(place);
    }
    if (hook.certain && !there) throw Divergence("lost: webhook " + std::to_string(place));
    if (there && !hook.certain) {
      say("  webhook " + std::to_string(place) + " is there");
      hook.certain = true;
      hook.since = reference_.last();
    }
  }
}

// --- what comes of it ------------------------------------------------------------------------------------------------

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

void Trial::check_listeners() {
  const auto ready = [&] {
    bool all = true;
    for (const auto& listener : listeners_) {
      if (listener->stalled) continue;
      listener->take_in();
      all = all && (listener->closed_with() != 0 || listener->ended() || listener->up_to_date());
    }
    return all;
  };
  if (!arrivals_.await(patience_.answer, ready)) {
    for (const auto& listener : listeners_) {
      if (!listener->stalled && !listener->up_to_date()) {
        throw Divergence(listener->who().name + " is not told " + listener->missing());
      }
    }
    throw Divergence("a listener is not told");
  }
  std::erase_if(listeners_, [&](const auto& listener) {
    if (listener->stalled) return false;
    if (listener->closed_with() == 0 && !listener->ended()) {
      if (listener->has_unexplained()) throw Divergence("nobody knows of " + listener->unexplained().front());
      return false;
    }
    const int code = listener->closed_with();
    const bool slow = listener->may_be_closed_as_slow && (code == 1008 || code == 0);
    const bool unreadable = listener->may_be_told_to_try_again && code == 1013;
    if (!slow && !unreadable) throw Divergence(listener->who().name + " is closed with " + std::to_string(code));
    say(listener->who().name + " was closed with " + std::to_string(code));
    if (listener->resumes()) {
      Lost lost{&listener->who(), listener->jobs(), {}};
      if (listener->hears_all()) lost.all = listener->told_of_all();
      lost_.push_back(std::move(lost));
    }
    return true;
  });
}

/// All that is owed arrives once the endpoints are well; nothing else does.
void Trial::check_hooks_at_the_end() {
  for (std::size_t place = 0; place < hooks_.size(); ++place) endpoints_->behave(place, Manner::well);
  const auto missing = [&](std::size_t place) -> const Change* {
    const Hook& hook = hooks_[place];
    if (!hook.certain) return nullptr;
    std::set<hub::Seq> arrived;
    for (const Attempt& attempt : endpoints_->heard(place)) {
      if (attempt.answered == 204) arrived.insert(attempt.change.seq);
    }
    for (const Change* change : reference_.of_owner(hook.owner, hook.since)) {
      if (std::find(hook.kinds.begin(), hook.kinds.end(), change->kind) == hook.kinds.end()) continue;
      if (!arrived.contains(change->seq)) return change;
    }
    return nullptr;
  };
  const auto deadline = std::chrono::steady_clock::now() + patience_.answer;
  for (std::size_t place = 0; place < hooks_.size(); ++place) {
    while (const Change* change = missing(place)) {
      if (std::chrono::steady_clock::now() > deadline) {
        throw Divergence("webhook " + std::to_string(place) + " was never told " + to_text(*change));
      }
      time_.pass(5 * ms_per_s);
      hub_->time_has_passed();
      arrivals_.await(std::chrono::milliseconds(5), [&] { return missing(place) != change; });
    }
    check_attempts(place);
  }
}

void Trial::check_attempts(std::size_t place) {
  const Hook& hook = hooks_[place];
  std::map<hub::Seq, std::string> messages;
  std::map<hub::Seq, int> arrived;
  hub::Seq last = 0;
  std::string attempts;  // for who reads of a divergence
  for (const Attempt& attempt : endpoints_->heard(place)) {
    attempts += " " + std::to_string(attempt.change.seq) + ":" + std::to_string(attempt.answered);
  }
  say("webhook " + std::to_string(place) + " heard" + attempts);
  for (const Attempt& attempt : endpoints_->heard(place)) {
    const hub::Seq seq = attempt.change.seq;
    const std::string what = "webhook " + std::to_string(place) + " was told " + std::to_string(seq);
    const Change* event = reference_.at(seq);
    if (event == nullptr) throw Divergence(what + ", which is none");
    if (event->owner != hook.owner) throw Divergence(what + ", which is another's");
    if (hub::to_text(event->kind) != attempt.kind || event->job != attempt.change.job ||
        event->result != attempt.change.result || event->error != attempt.change.error ||
        event->progress != attempt.change.progress) {
      throw Divergence(what + " otherwise than it is");
    }
    if (std::find(hook.kinds.begin(), hook.kinds.end(), event->kind) == hook.kinds.end()) {
      throw Divergence(what + ", which it does not want");
    }
    if (!messages.emplace(seq, attempt.message).second && messages[seq] != attempt.message) {
      throw Divergence(what + " under two ids");
    }
    if (attempt.answered == 204 && ++arrived[seq] > 1 && quiet_) throw Divergence(what + " again");
    if (hook.ordered && arrived[seq] < 2) {
      if (seq < last && arrived[last] > 0) throw Divergence(what + " behind " + std::to_string(last));
      if (seq > last && last != 0 && arrived[last] == 0) {
        throw Divergence(what + " before " + std::to_string(last) + " has arrived");
      }
      last = std::max(last, seq);
    }
  }
}

}  // namespace carillon::model
