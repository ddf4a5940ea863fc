// hub_load: a mixed load on a running hub, and what its clients notice of it.
//
// Reporters report progress with the time of sending in it; readers take that time from the frame they receive, so both
// ends of a latency are read from one clock. Each job's reports are numbered, so a reader sees at once what is missing,
// repeated or out of order. Beside them there may be clients that do not read, pollers, clients that come and go, and
// idle connections. Prints one JSON object.
//
// Threads: one.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/load/figures.h"
#include "tests/load/load_options.h"
#include "tests/load/peers.h"
#include "tests/load/sink.h"

namespace carillon::load {
namespace {

constexpr std::int64_t patience_us = 60 * us_per_s;
/// Connections are opened so many at a time.
constexpr int opening_max = 200;

struct Job {
  std::string id;
  std::uint64_t sent = 0;  ///< number of the last report
  bool busy = false;       ///< one is under way: they must not overtake one another
};

struct Tallies {
  std::vector<float> latencies_ms;
  std::uint64_t delivered = 0;
  std::uint64_t missing = 0;
  std::uint64_t repeated = 0;
  std::uint64_t broken = 0;  ///< streams with something else than whole frames
  std::uint64_t ended = 0;   ///< readers that lost their connection
  std::uint64_t stalls = 0;
  std::uint64_t stalled_closed_1008 = 0;  ///< of those that read again
  std::uint64_t stalled_caught_up = 0;
  std::uint64_t stalled_dropped = 0;  ///< that never read again
  std::uint64_t stalled_lost = 0;     ///< ended without a close frame
  std::uint64_t reports = 0;
  std::uint64_t reports_failed = 0;
  std::uint64_t polls = 0;
  std::uint64_t polls_failed = 0;
  std::uint64_t subscribes = 0;
  std::unordered_set<std::string> hook_ids;
  std::vector<float> hook_latencies_ms;
  std::uint64_t hooks_repeated = 0;
};

std::string subscribe_message(std::string_view job) {
  return std::string(R"({"action":"subscribe","job_id":")").append(job).append(R"("})");
}

bool is_update(std::string_view text) { return text.starts_with(R"({"type":"job_update")"); }
bool is_welcome(std::string_view text) { return text.starts_with(R"({"type":"connected")"); }

class IdlePeer : public WebSocketPeer {
 public:
  using WebSocketPeer::WebSocketPeer;
  bool ready() const { return ready_; }

 private:
  void on_text(std::string_view /*text*/) override { ready_ = true; }
  bool ready_ = false;
};

class Reader final : public WebSocketPeer {
 public:
  Reader(Poll& poll, const Job& job, Tallies& tallies) : WebSocketPeer(poll), job_(job), tallies_(tallies) {}
  bool ready() const { return ready_; }
  bool has_all() const { return !connected() || heard_ == job_.sent; }

 private:
  void on_text(std::string_view text) override {
    if (is_welcome(text)) return send_text(subscribe_message(job_.id));
    if (!is_update(text)) return;
    const auto number = static_cast<std::uint64_t>(number_behind(text, R"("n":)"));
    if (!ready_) {
      ready_ = true;
      heard_ = number;
      return;
    }
    tallies_.latencies_ms.push_back(static_cast<float>(now_us() - number_behind(text, R"("t":)")) / us_per_ms);
    ++tallies_.delivered;
    if (number <= heard_) ++tallies_.repeated;
    if (number > heard_ + 1) tallies_.missing += number - heard_ - 1;
    heard_ = number;
  }
  void on_end() override {
    ++tallies_.ended;
    if (broken()) ++tallies_.broken;
  }

  const Job& job_;
  Tallies& tallies_;
  std::uint64_t heard_ = 0;
  bool ready_ = false;
};

/// Subscribes to all jobs, reads no more, and after a while either reads on to the end or goes; then anew.
class Stalled final : public WebSocketPeer {
 public:
  Stalled(Poll& poll, const LoadOptions& options, bool reads_again, Tallies& tallies)
      : WebSocketPeer(poll), options_(options), reads_again_(reads_again), tallies_(tallies) {}

  void begin() {
    stalled_ = false;
    close_seen_ = false;
    wakes_at_us_ = now_us() + patience_us;
    open(options_.port, options_.client_key, Room::little);
  }

  void look(std::int64_t now) {
    if (!stalled_ || now < wakes_at_us_) return;
    stalled_ = false;
    ++tallies_.stalls;
    if (reads_again_) return read(true);
    ++tallies_.stalled_dropped;
    close();
    begin();
  }

 private:
  void on_text(std::string_view text) override {
    if (is_welcome(text)) return send_text(subscribe_message("*"));
    if (text.starts_with(R"({"type":"subscribed")")) {
      stalled_ = true;
      wakes_at_us_ = now_us() + options_.stall_ms * us_per_ms;
      return read(false);
    }
    // Its way to the end is short unless the hub has not closed it.
    if (now_us() > wakes_at_us_ + us_per_s && !stalled_) {
      ++tallies_.stalled_caught_up;
      close();
      begin();
    }
  }
  void on_close(unsigned code) override {
    close_seen_ = true;
    if (code == 1008) ++tallies_.stalled_closed_1008;
  }
  void on_end() override {
    if (!close_seen_) ++tallies_.stalled_lost;
    if (broken()) ++tallies_.broken;
    begin();
  }

  const LoadOptions& options_;
  const bool reads_again_;
  Tallies& tallies_;
  std::int64_t wakes_at_us_ = 0;
  bool stalled_ = false;
  bool close_seen_ = false;
};

class Reporter final : public HttpPeer {
 public:
  Reporter(Poll& poll, const LoadOptions& options, const std::string& pad, Tallies& tallies)
      : HttpPeer(poll), options_(options), pad_(pad), tallies_(tallies) {}

  void report(Job& job) {
    job_ = &job;
    job.busy = true;
    std::string body = R"({"progress":{"n":)" + std::to_string(++job.sent) + R"(,"t":)";
    body.append(std::to_string(now_us())).append(R"(,"pad":")").append(pad_).append(R"("}})");
    ask(options_.port, "PATCH", "/api/v1/jobs/" + job.id, options_.worker_key, body);
  }

 private:
  void on_answer(const Answer& answer) override {
    job_->busy = false;
    ++(answer.status == 200 ? tallies_.reports : tallies_.reports_failed);
  }

  const LoadOptions& options_;
  const std::string& pad_;
  Tallies& tallies_;
  Job* job_ = nullptr;
};

class Poller final : public HttpPeer {
 public:
  Poller(Poll& poll, Tallies& tallies) : HttpPeer(poll), tallies_(tallies) {}

 private:
  void on_answer(const Answer& answer) override { ++(answer.status == 200 ? tallies_.polls : tallies_.polls_failed); }

  Tallies& tallies_;
};

/// Comes, subscribes, sees the present state, and goes.
class Passer final : public WebSocketPeer {
 public:
  Passer(Poll& poll, Tallies& tallies) : WebSocketPeer(poll), tallies_(tallies) {}

  void pass(const LoadOptions& options, const Job& job) {
    job_ = &job;
    open(options.port, options.client_key);
  }

 private:
  void on_text(std::string_view text) override {
    if (is_welcome(text)) return send_text(subscribe_message(job_->id));
    if (!is_update(text)) return;
    ++tallies_.subscribes;
    close();
  }

  Tallies& tallies_;
  const Job* job_ = nullptr;
};

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options), pad_(static_cast<std::size_t>(options.pad_bytes), 'x') {
    for (const std::string& id : options.jobs) jobs_.push_back({id, 0, false});
  }

  int run() {
    open(options_.idle, idle_, [&](int) { return std::make_unique<IdlePeer>(poll_); });
    open(options_.readers, readers_, [&](int i) {
      return std::make_unique<Reader>(poll_, jobs_[static_cast<std::size_t>(i) % jobs_.size()], tallies_);
    });
    for (int i = 0; i < options_.reporters; ++i) {
      reporters_.push_back(std::make_unique<Reporter>(poll_, options_, pad_, tallies_));
    }
    for (int i = 0; i < options_.stalled; ++i) {
      stalled_.push_back(std::make_unique<Stalled>(poll_, options_, i % 2 == 0, tallies_));
      stalled_.back()->begin();
    }
    if (options_.sink_port != 0) sink_.listen(options_.sink_port);
    const double cpu_before_us = cpu_us(options_.pid);
    const std::int64_t began = now_us();
    if (options_.sink_only_for == 0) drive(began);
    drain();
    print(cpu_us(options_.pid) - cpu_before_us, static_cast<double>(now_us() - began) / us_per_s);
    return 0;
  }

 private:
  template <typename P, typename Make>
  void open(int count, std::vector<std::unique_ptr<P>>& peers, Make make) {
    const std::int64_t until = now_us() + patience_us;
    int ready = 0;
    for (int made = 0; ready < count; poll_.run_once(10)) {
      while (ready < made && peers[static_cast<std::size_t>(ready)]->ready()) ++ready;
      for (; made < count && made - ready < opening_max; ++made) {
        peers.push_back(make(made));
        peers.back()->open(options_.port, options_.client_key);
      }
      if (now_us() > until) throw std::runtime_error("the hub does not let all in");
    }
  }

  void drive(std::int64_t began) {
    const bool paced = options_.reports_per_s > 0;
    Pace reports(options_.reports_per_s);
    Pace polls(options_.polls_per_s);
    Pace subscribes(options_.subscribes_per_s);
    std::size_t next_job = 0;
    std::vector<std::unique_ptr<Poller>> pollers;
    std::vector<std::unique_ptr<Passer>> passers;
    const auto until = began + static_cast<std::int64_t>(options_.seconds * us_per_s);
    for (std::int64_t now = began; now < until; now = now_us()) {
      const std::int64_t elapsed = now - began;
      for (const auto& reporter : reporters_) {
        if (reporter->busy() || (paced && !reports.due(elapsed))) continue;
        Job* const job = free_job(next_job);
        if (job == nullptr) break;
        reporter->report(*job);
        reports.took();
      }
      while (polls.due(elapsed)) {
        idle_one(pollers, [&] {
          return std::make_unique<Poller>(poll_, tallies_);
        }).ask(options_.port, "GET", "/api/v1/jobs/" + jobs_[next_job % jobs_.size()].id, options_.client_key, {});
        polls.took();
      }
      while (subscribes.due(elapsed)) {
        idle_one(passers, [&] {
          return std::make_unique<Passer>(poll_, tallies_);
        }).pass(options_, jobs_[next_job % jobs_.size()]);
        subscribes.took();
      }
      for (const auto& one : stalled_) one->look(now);
      poll_.run_once(1);
    }
  }

  Job* free_job(std::size_t& next) {
    for (std::size_t tried = 0; tried < jobs_.size(); ++tried) {
      Job& job = jobs_[next++ % jobs_.size()];
      if (!job.busy) return &job;
    }
    return nullptr;
  }

  Poller& idle_one(std::vector<std::unique_ptr<Poller>>& peers, auto make) {
    for (const auto& peer : peers) {
      if (!peer->busy()) return *peer;
    }
    peers.push_back(make());
    return *peers.back();
  }
  Passer& idle_one(std::vector<std::unique_ptr<Passer>>& peers, auto make) {
    for (const auto& peer : peers) {
      if (!peer->connected()) return *peer;
    }
    peers.push_back(make());
    return *peers.back();
  }

  /// Until every reader has heard the last of its job.
  void drain() {
    const std::int64_t until = now_us() + (options_.sink_only_for != 0 ? 10 : 1) * patience_us;
    const auto busy = [](const auto& peer) { return peer->busy(); };
    const auto behind = [](const auto& reader) { return !reader->has_all(); };
    while (now_us() < until &&
           (tallies_.hook_ids.size() < hooks_owed() || std::any_of(reporters_.begin(), reporters_.end(), busy) ||
            std::any_of(readers_.begin(), readers_.end(), behind))) {
      poll_.run_once(1);
    }
    tallies_.missing += static_cast<std::uint64_t>(std::count_if(readers_.begin(), readers_.end(), behind));
  }

  std::size_t hooks_owed() const {
    if (options_.sink_port == 0) return 0;
    if (options_.sink_only_for != 0) return static_cast<std::size_t>(options_.sink_only_for);
    return tallies_.reports * static_cast<std::size_t>(options_.sink_hooks);
  }

  void on_hook(std::string_view id, std::string_view body) {
    if (!tallies_.hook_ids.emplace(id).second) ++tallies_.hooks_repeated;
    if (const std::int64_t sent_at = number_behind(body, R"("t":)"); sent_at != 0) {
      tallies_.hook_latencies_ms.push_back(static_cast<float>(now_us() - sent_at) / us_per_ms);
    }
  }

  void print(double hub_cpu_us, double seconds) {
    auto& hook_latencies = tallies_.hook_latencies_ms;
    std::sort(hook_latencies.begin(), hook_latencies.end());
    auto& latencies = tallies_.latencies_ms;
    std::sort(latencies.begin(), latencies.end());
    const auto per = [](double total, std::uint64_t count) {
      return count == 0 ? 0.0 : total / static_cast<double>(count);
    };
    const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
    const std::vector<std::pair<const char*, double>> figures{
        {"seconds", seconds},
        {"reports", number(tallies_.reports)},
        {"reports_failed", number(tallies_.reports_failed)},
        {"delivered", number(tallies_.delivered)},
        {"missing", number(tallies_.missing)},
        {"repeated", number(tallies_.repeated)},
        {"broken", number(tallies_.broken)},
        {"readers_ended", number(tallies_.ended)},
        {"latency_p50_ms", quantile(latencies, 0.5)},
        {"latency_p99_ms", quantile(latencies, 0.99)},
        {"latency_p999_ms", quantile(latencies, 0.999)},
        {"latency_max_ms", quantile(latencies, 1)},
        {"polls", number(tallies_.polls)},
        {"polls_failed", number(tallies_.polls_failed)},
        {"subscribes", number(tallies_.subscribes)},
        {"stalls", number(tallies_.stalls)},
        {"stalled_closed_1008", number(tallies_.stalled_closed_1008)},
        {"stalled_caught_up", number(tallies_.stalled_caught_up)},
        {"stalled_dropped", number(tallies_.stalled_dropped)},
        {"stalled_lost", number(tallies_.stalled_lost)},
        {"hooks", number(tallies_.hook_ids.size())},
        {"hooks_missing", number(hooks_owed() - std::min(hooks_owed(), tallies_.hook_ids.size()))},
        {"hooks_repeated", number(tallies_.hooks_repeated)},
        {"hook_latency_p50_ms", quantile(hook_latencies, 0.5)},
        {"hook_latency_p99_ms", quantile(hook_latencies, 0.99)},
        {"hook_latency_max_ms", quantile(hook_latencies, 1)},
        {"hub_cpu_us_per_hook", per(hub_cpu_us, tallies_.hook_ids.size())},
        {"hub_cpu_us_per_delivery", per(hub_cpu_us, tallies_.delivered)},
        {"hub_cpu_us_per_report", per(hub_cpu_us, tallies_.reports)},
    };
    print_json(figures);
  }

  const LoadOptions& options_;
  const std::string pad_;
  Poll poll_;
  Tallies tallies_;
  std::vector<Job> jobs_;
  std::vector<std::unique_ptr<IdlePeer>> idle_;
  std::vector<std::unique_ptr<Reader>> readers_;
  std::vector<std::unique_ptr<Stalled>> stalled_;
  std::vector<std::unique_ptr<Reporter>> reporters_;
  Sink sink_{poll_, [this](std::string_view id, std::string_view body) { on_hook(id, body); }};
};

}  // namespace
}  // namespace carillon::load

int main(int argc, char** argv) {
  const carillon::load::LoadOptions options = carillon::load::read_load_options(argc, argv);
  carillon::load::allow_many_files();
  try {
    return carillon::load::Load(options).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hub_load: %s\n", error.what());
    return 1;
  }
}
