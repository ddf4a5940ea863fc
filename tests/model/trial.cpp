#include "tests/model/trial.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "tests/model/told.h"
#include "tests/model/trial_error.h"

namespace carillon::model {
namespace {

constexpr std::array disk_faults{DiskFault::full,       DiskFault::io_error,  DiskFault::short_write,
                                 DiskFault::sync_error, DiskFault::sync_lost, DiskFault::read_error,
                                 DiskFault::busy};

}  // namespace

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

}  // namespace carillon::model
