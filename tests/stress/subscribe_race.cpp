// Subscribes to jobs that change and finish in the same microseconds, and finds every update once, in order.
//
// A lane is a thread with a key of its own, reporters, and watchers; it takes one job after the other through its life
// while the watchers subscribe somewhere in it. What a watcher was told is compared with what the reporter was
// answered:
//
// - `plain` subscribes once: the present state, then every later event.
// - `again` subscribes once more while it listens: it is told the state anew, and misses nothing for it.
// - `both` hears all jobs of the key, and subscribes to the job and unsubscribes from it meanwhile: every event from
// the
//   first on, once; the answers to its subscribes stand where they belong in that order.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "hub/id.h"
#include "tests/stress/client.h"
#include "tests/stress/options.h"

namespace carillon::stress {
namespace {

using std::chrono::microseconds;

struct Event {
  std::int64_t seq = 0;
  std::string status;
  std::string progress;
};

struct Told {
  bool is_state = false;  ///< the answer to a subscribe
  Event event;
};

enum class Way : std::uint8_t { plain, again, both };

class Watcher {
 public:
  Watcher(std::uint16_t port, const std::string& key, Way way) : way_(way), socket_(port, key) {
    if (way == Way::both) {
      socket_.send(R"({"action":"subscribe","job_id":"*"})");
      if (socket_.await(SteadyClock::now() + patience).type != "subscribed") throw Failure("no \"*\"");
    }
  }

  WsClient& socket() { return socket_; }

  /// Of a job that is about to move: what to do in its life of about `life`; returns how often it subscribes.
  unsigned plan(const std::string& job, std::mt19937_64& random, microseconds life) {
    job_ = job;
    told_.clear();
    acts_.clear();
    acted_ = acknowledged_ = 0;
    is_over_ = false;
    const auto moment = [&] {
      return microseconds(std::uniform_int_distribution<std::int64_t>(0, life.count() * 6 / 5)(random));
    };
    const std::size_t acts = way_ == Way::plain ? 1 : way_ == Way::again ? 2 : 2 + random() % 2;
    for (std::size_t i = 0; i < acts; ++i) acts_.push_back({moment(), way_ != Way::both || i % 2 == 0});
    std::sort(acts_.begin(), acts_.end(), [](const Act& a, const Act& b) { return a.at < b.at; });
    if (way_ == Way::both) {
      for (std::size_t i = 0; i < acts; ++i) acts_[i].subscribes = i % 2 == 0;
    }
    return static_cast<unsigned>(std::count_if(acts_.begin(), acts_.end(), [](const Act& a) { return a.subscribes; }));
  }

  /// Does what is due; returns when the next is.
  microseconds act(microseconds now) {
    while (acted_ < acts_.size() && acts_[acted_].at <= now) {
      const bool subscribes = acts_[acted_++].subscribes;
      socket_.send(std::string(R"({"action":")") + (subscribes ? "" : "un") + R"(subscribe","job_id":")" + job_ +
                   "\"}");
    }
    return acted_ < acts_.size() ? acts_[acted_].at : microseconds::max();
  }

  void listen() {
    while (auto message = socket_.next()) {
      if (message->job != job_) {
        if (message->type == "unsubscribed") continue;  // from the one before
        throw Failure("of a job that is over: " + message->text);
      }
      if (message->type == "job_update") {
        told_.push_back({state_next_, {message->seq, message->status, message->progress}});
        state_next_ = false;
        is_over_ = is_over_ || message->status == "succeeded";
        continue;
      }
      if (state_next_) throw Failure("no state behind a \"subscribed\": " + message->text);
      if (message->type != "subscribed" && message->type != "unsubscribed") throw Failure(message->text);
      ++acknowledged_;
      state_next_ = message->type == "subscribed";
    }
  }

  bool is_done() const { return is_over_ && acknowledged_ == acts_.size() && !state_next_; }

  void check(const std::vector<Event>& events) const {
    std::size_t next = 0;  // the first event it was not told of
    bool listens = way_ == Way::both;
    for (const Told& told : told_) {
      const auto found =
          std::find_if(events.begin(), events.end(), [&](const Event& e) { return e.seq == told.event.seq; });
      if (found == events.end()) fail("an event that never was", events);
      const auto at = static_cast<std::size_t>(found - events.begin());
      if (found->status != told.event.status || found->progress != told.event.progress)
        fail("an event that was another", events);
      const bool in_turn = told.is_state ? !listens || at == next || at + 1 == next : listens && at == next;
      if (!in_turn) fail(at < next ? "an event twice" : "an event left out", events);
      listens = true;
      next = at + 1;
    }
    if (next != events.size()) fail("the end left out", events);
  }

  void leave() {
    if (way_ != Way::both) socket_.send(R"({"action":"unsubscribe","job_id":")" + job_ + "\"}");
  }

 private:
  struct Act {
    microseconds at;
    bool subscribes;
  };

  [[noreturn]] void fail(const std::string& what, const std::vector<Event>& events) const {
    std::string text = what + "; way " + std::to_string(static_cast<int>(way_)) + "\n  happened:";
    for (const Event& event : events) text += ' ' + std::to_string(event.seq) + event.status.front();
    text += "\n  told:";
    for (const Told& told : told_)
      text += ' ' + std::to_string(told.event.seq) + told.event.status.front() + (told.is_state ? "=" : "");
    throw Failure(text);
  }

  Way way_;
  WsClient socket_;
  std::string job_;
  std::vector<Act> acts_;
  std::size_t acted_ = 0;
  std::size_t acknowledged_ = 0;
  std::vector<Told> told_;
  bool state_next_ = false;
  bool is_over_ = false;
};

constexpr std::size_t reporters_max = 3;

class Lane {
 public:
  Lane(const Options& options, const std::string& key, std::uint64_t seed)
      : port_(static_cast<std::uint16_t>(options.number("port"))),
        key_(key),
        worker_(options.text("worker")),
        random_(seed) {
    for (std::size_t i = 0; i < reporters_max; ++i) reporters_.push_back(std::make_unique<HttpClient>(port_, worker_));
    for (const Way way : {Way::plain, Way::plain, Way::again, Way::both, Way::both}) {
      watchers_.push_back(std::make_unique<Watcher>(port_, key, way));
    }
  }

  /// Takes a job through its life; returns how many subscriptions raced with it.
  unsigned run_job() {
    const std::string job = hub::JobId::random().text();
    std::vector<Event> events;
    unsigned subscriptions = 0;
    const microseconds life(static_cast<std::int64_t>(life_us_));
    for (const auto& watcher : watchers_) subscriptions += watcher->plan(job, random_, life);
    reporters_[0]->send(HttpClient::request("POST", "/jobs", key_, R"({"job_id":")" + job + "\"}"));
    await_answers(events, 1, 201);

    // Step by step, each when the one before is answered; or all behind one another without waiting. What a step has
    // goes out over several connections, for one commit.
    const std::vector<Step> steps = make_steps();
    const bool at_once = random_() % 2 == 0;
    std::size_t step = 0;
    std::size_t sent = 0;
    const auto begin = SteadyClock::now();
    const auto deadline = begin + patience;
    const auto report = [&] {
      do {
        for (std::size_t i = 0; i < steps[step].size(); ++i, ++sent) {
          reporters_[at_once ? 0 : i % reporters_max]->send(
              HttpClient::request("PATCH", "/jobs/" + job, worker_, steps[step][i]));
        }
        ++step;
      } while (at_once && step < steps.size());
    };
    report();
    bool over = false;
    while (!over) {
      const auto now = std::chrono::duration_cast<microseconds>(SteadyClock::now() - begin);
      microseconds next = patience;
      for (const auto& watcher : watchers_) next = std::min(next, watcher->act(now));
      wait(next - now);
      read_answers(events, 200);
      const bool answered = events.size() == sent + 1;
      if (answered && step < steps.size()) report();
      const bool reported = answered && events.size() == sent + 1;
      if (reported && !measured_) {
        measured_ = true;
        const auto took = std::chrono::duration_cast<microseconds>(SteadyClock::now() - begin).count();
        life_us_ += (static_cast<double>(took) - life_us_) / 8;
      }
      over = reported;
      for (const auto& watcher : watchers_) {
        watcher->listen();
        over = over && watcher->is_done();
      }
      if (SteadyClock::now() > deadline) throw Failure("a job came to no end for its watchers: " + job);
    }
    measured_ = false;
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.seq < b.seq; });
    for (const auto& watcher : watchers_) {
      watcher->check(events);
      watcher->leave();
    }
    return subscriptions;
  }

  /// What is under way still arrives before the pong; nothing of a job may be among it.
  void finish() {
    for (const auto& watcher : watchers_) {
      watcher->socket().send(R"({"action":"ping"})");
      for (;;) {
        const Message message = watcher->socket().await(SteadyClock::now() + patience);
        if (message.type == "pong") break;
        if (message.type != "unsubscribed") throw Failure("after the last: " + message.text);
      }
    }
  }

 private:
  using Step = std::vector<std::string>;

  std::vector<Step> make_steps() {
    std::vector<Step> steps{
        {random_() % 2 == 0 ? R"({"status":"running"})" : R"({"status":"running","progress":"first"})"}};
    Step progress;
    for (std::uint64_t n = random_() % 6; n > 0; --n) progress.push_back("{\"progress\":" + std::to_string(n) + "}");
    if (!progress.empty()) steps.push_back(std::move(progress));
    steps.push_back({R"({"status":"succeeded","result":{"pages":12}})"});
    return steps;
  }

  void wait(microseconds longest) {
    std::vector<pollfd> entries;
    for (const auto& reporter : reporters_) entries.push_back({reporter->fd(), POLLIN, 0});
    for (const auto& watcher : watchers_) entries.push_back({watcher->socket().fd(), POLLIN, 0});
    const std::int64_t us = std::clamp<std::int64_t>(longest.count(), 0, 100'000);
    const timespec timeout{0, us * 1'000};
    if (::ppoll(entries.data(), entries.size(), &timeout, nullptr) <= 0) return;
    for (std::size_t i = 0; i < reporters_max; ++i) {
      if (entries[i].revents != 0) reporters_[i]->take_in();
    }
    for (std::size_t i = 0; i < watchers_.size(); ++i) {
      if (entries[reporters_max + i].revents != 0) watchers_[i]->socket().take_in();
    }
  }

  void read_answers(std::vector<Event>& events, int status) {
    for (const auto& reporter : reporters_) {
      while (const auto answer = reporter->next()) {
        if (answer->status != status) throw Failure("a report was answered " + answer->body);
        const Message job = read_message(answer->body);
        const bool has_progress = job.status == "running" && job.progress != "null";
        events.push_back({job.seq, job.status, has_progress ? job.progress : ""});
      }
    }
  }

  void await_answers(std::vector<Event>& events, std::size_t count, int status) {
    const auto deadline = SteadyClock::now() + patience;
    while (events.size() < count) {
      if (SteadyClock::now() > deadline) throw Failure("no answer to a submission");
      wait(microseconds(100'000));
      read_answers(events, status);
      for (const auto& watcher : watchers_) watcher->listen();
    }
  }

  std::uint16_t port_;
  std::string key_;
  std::string worker_;
  std::mt19937_64 random_;
  std::vector<std::unique_ptr<HttpClient>> reporters_;
  std::vector<std::unique_ptr<Watcher>> watchers_;
  double life_us_ = 2'000;  ///< of a job, as it has been of late
  bool measured_ = false;
};

int run(const Options& options) {
  const unsigned long wanted = options.number("count");
  const unsigned long seed = options.number("seed");
  std::atomic<unsigned long> subscriptions{0};
  std::atomic<unsigned long> jobs{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::string why;
  std::vector<std::thread> lanes;
  const auto begin = SteadyClock::now();
  for (const std::string& key : options.list("keys")) {
    lanes.emplace_back([&, key, number = lanes.size()] {
      try {
        Lane lane(options, key, seed * 1'000 + number);
        while (subscriptions < wanted && !failed) {
          subscriptions += lane.run_job();
          ++jobs;
        }
        lane.finish();
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        if (!failed.exchange(true)) why = error.what();
      }
    });
  }
  for (std::thread& lane : lanes) lane.join();
  const double took_s = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  std::printf("seed %lu: %lu subscriptions to %lu jobs in %.1f s\n", seed, subscriptions.load(), jobs.load(), took_s);
  if (failed) std::printf("%s\n", why.c_str());
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace carillon::stress

int main(int count, char** words) { return carillon::stress::run_program(count, words, carillon::stress::run); }
