#include <algorithm>
#include <memory>
#include <stdexcept>

#include "tests/load/any/work.h"

namespace carillon::load {
namespace {

/// Connections are opened so many at a time.
constexpr std::size_t opening_max = 200;
/// Before memory is measured: what a server makes once, for whoever comes first.
constexpr int first_connections = 100;

/// Listens to one job.
class Listener final : public WebSocketPeer {
 public:
  Listener(Poll& poll, const WorkOptions& options, const std::string& job, Figures& figures)
      : WebSocketPeer(poll), options_(options), job_(job), figures_(figures) {}

  void begin() {
    open_at(options_.port, fill(options_.listen_target, job_, 0, {}), lines(fill(options_.listen_fields, job_, 0, {})));
  }
  /// Updates that were sent since then count.
  void count_from(std::int64_t us) { from_us_ = us; }
  /// The last update that it has heard, counted or not.
  std::int64_t heard() const { return heard_; }
  bool listens() const { return is_open() && !broken(); }
  bool ended() const { return ended_; }

 private:
  void on_open() override {
    if (!options_.subscribe.empty()) send_text(fill(options_.subscribe, job_, 0, {}));
  }
  void on_text(std::string_view text) override {
    const std::int64_t sent_us = number_behind(text, sent_at);
    if (sent_us == 0) return;
    heard_ = std::max(heard_, number_behind(text, R"("n":)"));
    if (sent_us < from_us_) return;
    ++figures_.operations;
    ++figures_.messages;
    figures_.received_bytes += text.size();
    figures_.latencies_ms.push_back(static_cast<float>(now_us() - sent_us) / us_per_ms);
  }
  void on_end() override { ended_ = true; }

  const WorkOptions& options_;
  const std::string& job_;
  Figures& figures_;
  std::int64_t from_us_ = 0;
  std::int64_t heard_ = 0;
  bool ended_ = false;
};

using Listeners = std::vector<std::unique_ptr<Listener>>;

/// Until there are `count` that listen.
void open(Poll& poll, const WorkOptions& options, Listeners& listeners, std::size_t count, Figures& figures) {
  const std::int64_t until = now_us() + patience_us;
  std::size_t ready = listeners.size();
  while (ready < count) {
    while (ready < listeners.size() && listeners[ready]->listens()) ++ready;
    while (listeners.size() < count && listeners.size() - ready < opening_max) {
      const std::string& job = options.jobs[listeners.size() % options.jobs.size()];
      listeners.push_back(std::make_unique<Listener>(poll, options, job, figures));
      listeners.back()->begin();
    }
    poll.run_once(10);
    if (now_us() > until) throw std::runtime_error("the server does not let all in");
  }
}

/// Publishes to every job, by turns of all publishers, until all have heard: then all listen.
void publish_until_heard(Poll& poll, const WorkOptions& options, Publisher& publisher, const Listeners& listeners) {
  const std::int64_t until = now_us() + patience_us;
  for (const std::string& job : options.jobs) {
    publisher.publish(job, 1);
    while (publisher.busy() && now_us() < until) poll.run_once(10);
  }
  const auto deaf = [](const auto& listener) { return listener->heard() == 0; };
  while (std::any_of(listeners.begin(), listeners.end(), deaf)) {
    poll.run_once(10);
    if (now_us() > until) throw std::runtime_error("not all hear of an update");
  }
}

}  // namespace

Figures publish_to_websockets(const WorkOptions& options) {
  Poll poll;
  Figures figures;
  const std::string pad(static_cast<std::size_t>(options.pad_bytes), 'x');
  Listeners listeners;
  open(poll, options, listeners, static_cast<std::size_t>(options.connections), figures);
  std::vector<std::unique_ptr<Publisher>> publishers;
  for (int i = 0; i < options.publishers; ++i) {
    publishers.push_back(std::make_unique<Publisher>(poll, options, pad, figures));
  }
  publish_until_heard(poll, options, *publishers.front(), listeners);
  if (figures.failed > 0) throw std::runtime_error("updates are refused");

  figures = {};
  figures.connections = listeners.size();
  std::vector<std::uint64_t> listening(options.jobs.size());
  const std::int64_t began = now_us();
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    ++listening[i % listening.size()];
    listeners[i]->count_from(began);
  }
  const double cpu_before_us = cpu_us(options.pid);
  Pace pace(options.per_s);
  std::uint64_t owed = 0;
  int published = 0;
  const auto busy = [](const auto& publisher) { return publisher->busy(); };
  while (published < options.operations || figures.operations < owed ||
         std::any_of(publishers.begin(), publishers.end(), busy)) {
    for (const auto& publisher : publishers) {
      if (published == options.operations) break;
      if (publisher->busy() || (options.per_s > 0 && !pace.due(now_us() - began))) continue;
      const auto job = static_cast<std::size_t>(published) % options.jobs.size();
      publisher->publish(options.jobs[job], static_cast<std::uint64_t>(++published) + 1);
      owed += listening[job];
      pace.took();
    }
    poll.run_once(1);
    if (now_us() - began > patience_us) break;
  }
  figures.seconds = static_cast<double>(now_us() - began) / us_per_s;
  figures.cpu_us = cpu_us(options.pid) - cpu_before_us;
  figures.failed += owed - std::min(owed, figures.operations);
  figures.failed += static_cast<std::uint64_t>(
      std::count_if(listeners.begin(), listeners.end(), [](const auto& listener) { return listener->ended(); }));
  return figures;
}

Figures hold_websockets(const WorkOptions& options) {
  Poll poll;
  Figures figures;
  Listeners listeners;
  const int first = std::min(first_connections, options.connections);
  open(poll, options, listeners, static_cast<std::size_t>(first), figures);
  settle(poll, options.pid);
  const double before = resident_bytes(options.pid);
  const double cpu_before_us = cpu_us(options.pid);
  const std::int64_t began = now_us();
  open(poll, options, listeners, static_cast<std::size_t>(first + options.connections), figures);
  settle(poll, options.pid);
  figures.seconds = static_cast<double>(now_us() - began) / us_per_s;
  figures.cpu_us = cpu_us(options.pid) - cpu_before_us;
  figures.memory_bytes = resident_bytes(options.pid) - before;
  figures.operations = figures.connections = listeners.size() - static_cast<std::size_t>(first);
  figures.failed = static_cast<std::uint64_t>(
      std::count_if(listeners.begin(), listeners.end(), [](const auto& listener) { return listener->ended(); }));
  return figures;
}

namespace {

/// Opens, and closes again at the answer; then anew, as long as there is something left to do.
class Knocker final : public WebSocketPeer {
 public:
  Knocker(Poll& poll, const WorkOptions& options, const std::string& job, int& left, Figures& figures)
      : WebSocketPeer(poll),
        options_(options),
        target_(fill(options.listen_target, job, 0, {})),
        fields_(lines(options.listen_fields)),
        left_(left),
        figures_(figures) {}

  void begin() {
    if (left_ == 0) return;
    --left_;
    ++figures_.requests;
    began_us_ = now_us();
    open_at(options_.port, target_, fields_);
  }

 private:
  void on_open() override {
    ++figures_.operations;
    figures_.latencies_ms.push_back(static_cast<float>(now_us() - began_us_) / us_per_ms);
    close();
    begin();
  }
  void on_text(std::string_view /*text*/) override {}
  void on_end() override {
    ++figures_.failed;
    begin();
  }

  const WorkOptions& options_;
  const std::string target_;
  const std::string fields_;
  int& left_;
  Figures& figures_;
  std::int64_t began_us_ = 0;
};

}  // namespace

Figures shake_hands(const WorkOptions& options) {
  Poll poll;
  Figures figures;
  int left = options.operations;
  std::vector<std::unique_ptr<Knocker>> knockers;
  const double cpu_before_us = cpu_us(options.pid);
  const std::int64_t began = now_us();
  for (int i = 0; i < options.connections; ++i) {
    const std::string& job = options.jobs[static_cast<std::size_t>(i) % options.jobs.size()];
    knockers.push_back(std::make_unique<Knocker>(poll, options, job, left, figures));
    knockers.back()->begin();
  }
  while (figures.operations + figures.failed < static_cast<std::uint64_t>(options.operations) &&
         now_us() - began < patience_us) {
    poll.run_once(10);
  }
  figures.seconds = static_cast<double>(now_us() - began) / us_per_s;
  figures.cpu_us = cpu_us(options.pid) - cpu_before_us;
  figures.connections = knockers.size();
  figures.failed = static_cast<std::uint64_t>(options.operations) - figures.operations;
  return figures;
}

}  // namespace carillon::load
