// Reports at full speed while clients drop and resume, and the hub may be killed and started again meanwhile: each
// client hears every event once, in order, whatever came replayed and whatever live.
//
// Reporters take jobs through their lives. A client keeps, as clients do, the number of what it heard last: one for
// each of its jobs, or one for all where it hears "*". It connects, subscribes to go on after that, listens for a
// moment and is gone again, mostly by a reset in the middle of the stream. In the end what each has heard is compared
// with the events in the database.
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "hub/id.h"
#include "tests/stress/client.h"
#include "tests/stress/options.h"

namespace carillon::stress {
namespace {

using std::chrono::milliseconds;

using Seqs = std::vector<std::int64_t>;
/// What happened to each job, by its id.
using History = std::map<std::string, Seqs>;

constexpr std::size_t jobs_per_reporter = 8;

/// The database's word: the events of the key's jobs.
History read_history(const std::string& path, const std::set<std::string>& jobs) {
  sqlite3* database = nullptr;
  sqlite3_stmt* query = nullptr;
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK ||
      sqlite3_prepare_v2(database, "SELECT v.seq, j.id FROM events AS v JOIN jobs AS j ON j.n = v.job ORDER BY v.seq",
                         -1, &query, nullptr) != SQLITE_OK) {
    throw Failure(std::string("the database: ") + sqlite3_errmsg(database));
  }
  History history;
  while (sqlite3_step(query) == SQLITE_ROW) {
    hub::JobId id;
    std::copy_n(static_cast<const std::uint8_t*>(sqlite3_column_blob(query, 1)), id.bytes.size(), id.bytes.begin());
    if (jobs.count(id.text()) > 0) history[id.text()].push_back(sqlite3_column_int64(query, 0));
  }
  sqlite3_finalize(query);
  sqlite3_close(database);
  return history;
}

/// What all threads share.
struct Storm {
  std::uint16_t port = 0;
  std::string key;
  std::string worker;
  std::atomic<bool> reporting{true};
  std::atomic<bool> failed{false};
  std::atomic<unsigned long> reports{0};
  std::atomic<unsigned long> connections{0};

  std::mutex mutex;
  std::string why;
  std::vector<std::string> first_jobs;  ///< those that there were when it began
  History acknowledged;
  History history;  ///< once nothing is reported any more
  std::string epoch;

  void fail(const std::string& text) {
    const std::lock_guard lock(mutex);
    if (!failed.exchange(true)) why = text;
  }
};

class Reporter {
 public:
  Reporter(Storm& storm, std::uint64_t seed) : storm_(storm), random_(seed) {
    for (std::size_t i = 0; i < jobs_per_reporter; ++i) submit(i);
  }

  std::vector<std::string> jobs() const { return jobs_; }

  void run() {
    while (storm_.reporting && !storm_.failed) {
      const std::size_t which = random_() % jobs_.size();
      if (random_() % 64 == 0) {
        tell(jobs_[which], R"({"status":"succeeded","result":[)" + std::to_string(++count_) + "]}");
        submit(which);
      } else {
        tell(jobs_[which], "{\"progress\":" + std::to_string(++count_) + "}");
      }
    }
  }

 private:
  void submit(std::size_t which) {
    const std::string job = hub::JobId::random().text();
    if (jobs_.size() <= which) jobs_.resize(which + 1);
    jobs_[which] = job;
    ask(storm_.key, job, "POST", "/jobs", R"({"job_id":")" + job + "\"}");
    tell(job, R"({"status":"running"})");
  }

  void tell(const std::string& job, const std::string& body) { ask(storm_.worker, job, "PATCH", "/jobs/" + job, body); }

  /// Until it is answered: what a hub that died may or may not have taken is sent once more, as reporters do.
  void ask(const std::string& key, const std::string& job, const char* method, const std::string& path,
           const std::string& body) {
    const auto deadline = SteadyClock::now() + patience;
    for (bool again = false;; again = true) {
      try {
        if (!http_) http_ = std::make_unique<HttpClient>(storm_.port, key);
        http_->send(HttpClient::request(method, path, key, body));
        for (;;) {
          if (const auto answer = http_->next()) return note(*answer, job, again);
          pollfd entry{http_->fd(), POLLIN, 0};
          if (::poll(&entry, 1, 20'000) <= 0) throw Failure("a report was not answered");
          http_->take_in();
        }
      } catch (const Ended&) {
        http_.reset();
        if (SteadyClock::now() > deadline) throw Failure("the hub did not come back");
        std::this_thread::sleep_for(milliseconds(5));  // until it listens again
      }
    }
  }

  void note(const Answer& answer, const std::string& job, bool again) {
    ++storm_.reports;
    // It had been taken, and only its answer was lost.
    if (again && answer.status == 409) return;
    if (answer.status >= 300) throw Failure("a report was answered " + answer.body);
    const std::lock_guard lock(storm_.mutex);
    storm_.acknowledged[job].push_back(read_message(answer.body).seq);
  }

  Storm& storm_;
  std::mt19937_64 random_;
  std::unique_ptr<HttpClient> http_;
  std::vector<std::string> jobs_;
  std::uint64_t count_ = 0;
};

class Client {
 public:
  enum class Way : std::uint8_t { jobs, all };

  Client(Storm& storm, Way way, std::uint64_t seed) : storm_(storm), way_(way), random_(seed) {
    for (const std::string& job : storm.first_jobs) heard_[job];
  }

  /// Comes and goes while there are reports, and then stays until it has heard everything.
  void run() {
    const auto patient_until = [] { return SteadyClock::now() + patience; };
    auto deadline = patient_until();
    while (!storm_.failed) {
      try {
        if (storm_.reporting) deadline = patient_until();
        listen_once(deadline);
        if (!storm_.reporting && has_heard_all()) return;
      } catch (const Ended&) {
        std::this_thread::sleep_for(milliseconds(5));  // until it listens again
      }
      if (SteadyClock::now() > deadline) throw Failure("a client has not heard all: " + difference());
    }
  }

  void check() const {
    const std::string wrong = difference();
    if (!wrong.empty()) throw Failure(wrong);
  }

 private:
  void listen_once(SteadyClock::time_point deadline) {
    WsClient socket(storm_.port, storm_.key);
    ++storm_.connections;
    {
      const std::lock_guard lock(storm_.mutex);
      if (storm_.epoch.empty()) storm_.epoch = socket.epoch();
      if (storm_.epoch != socket.epoch()) throw Failure("another epoch");
    }
    replaying_.clear();
    if (way_ == Way::all) {
      subscribe(socket, "*", last_heard_);
    } else {
      for (const auto& [job, seqs] : heard_) subscribe(socket, job, seqs.empty() ? 0 : seqs.back());
    }
    const bool lingers = random_() % 4 != 0;
    auto leave_at = SteadyClock::now() + milliseconds(random_() % (lingers ? 120 : 8));
    while (!storm_.failed) {
      const bool last_time = !storm_.reporting;
      if (last_time) {
        if (has_heard_all()) break;
        leave_at = deadline;
      }
      auto message = socket.next_until(std::min(leave_at, SteadyClock::now() + milliseconds(50)));
      if (message) {
        hear(*message);
      } else if (SteadyClock::now() >= leave_at) {
        break;
      }
    }
    if (!storm_.reporting && has_heard_all()) return stay_to_the_end(socket);
    if (random_() % 4 != 0) socket.reset_when_closed();
  }

  /// Nothing may come behind the last.
  void stay_to_the_end(WsClient& socket) {
    socket.send(R"({"action":"ping"})");
    for (;;) {
      const Message message = socket.await(SteadyClock::now() + patience);
      if (message.type == "pong") return;
      hear(message);
    }
  }

  void subscribe(WsClient& socket, const std::string& job, std::int64_t after) {
    socket.send(R"({"action":"subscribe","job_id":")" + job + "\",\"after\":" + std::to_string(after) +
                ",\"epoch\":\"" + socket.epoch() + "\"}");
  }

  void hear(const Message& message) {
    if (message.type == "subscribed") {
      if (message.recovered != true) throw Failure("not recovered: " + message.text);
      replaying_.insert(message.job);
      return;
    }
    if (message.type != "job_update") throw Failure(message.text);
    if (replaying_.count(way_ == Way::all ? "*" : message.job) == 0)
      throw Failure("before subscribed: " + message.text);
    if (way_ == Way::jobs && heard_.count(message.job) == 0) throw Failure("of another job: " + message.text);
    Seqs& seqs = heard_[message.job];
    const std::int64_t before = way_ == Way::all ? last_heard_ : seqs.empty() ? 0 : seqs.back();
    if (message.seq <= before) throw Failure("behind " + std::to_string(before) + ": " + message.text);
    seqs.push_back(message.seq);
    last_heard_ = message.seq;
  }

  bool has_heard_all() const {
    const std::lock_guard lock(storm_.mutex);
    for (const auto& [job, seqs] : storm_.history) {
      const auto found = heard_.find(job);
      if (found == heard_.end() && way_ == Way::jobs) continue;
      if (found == heard_.end() || found->second.empty() || found->second.back() != seqs.back()) return false;
    }
    return !storm_.history.empty();
  }

  std::string difference() const {
    const std::lock_guard lock(storm_.mutex);
    for (const auto& [job, seqs] : storm_.history) {
      const auto found = heard_.find(job);
      if (found == heard_.end() && way_ == Way::jobs) continue;
      const Seqs heard = found == heard_.end() ? Seqs{} : found->second;
      if (heard == seqs) continue;
      const auto [missed, next] = std::mismatch(seqs.begin(), seqs.end(), heard.begin(), heard.end());
      return job + (way_ == Way::all ? " by \"*\"" : "") + ": " + std::to_string(heard.size()) + " heard of " +
             std::to_string(seqs.size()) + ", not " + (missed == seqs.end() ? "more" : std::to_string(*missed)) +
             " but " + (next == heard.end() ? "nothing" : std::to_string(*next));
    }
    return {};
  }

  Storm& storm_;
  Way way_;
  std::mt19937_64 random_;
  History heard_;
  std::int64_t last_heard_ = 0;
  std::set<std::string> replaying_;  ///< subscriptions of this connection that were confirmed
};

/// Every report that was answered is in the database.
void check_acknowledged(const Storm& storm) {
  for (const auto& [job, seqs] : storm.acknowledged) {
    const Seqs& kept = storm.history.at(job);
    for (const std::int64_t seq : seqs) {
      if (!std::binary_search(kept.begin(), kept.end(), seq)) throw Failure("lost: " + std::to_string(seq));
    }
  }
}

int run(const Options& options) {
  Storm storm;
  storm.port = static_cast<std::uint16_t>(options.number("port"));
  storm.key = options.text("key");
  storm.worker = options.text("worker");
  const unsigned long seed = options.number("seed");

  std::vector<std::unique_ptr<Reporter>> reporters;
  for (unsigned long i = 0; i < options.number("reporters"); ++i) {
    reporters.push_back(std::make_unique<Reporter>(storm, seed * 1'000 + i));
    for (const std::string& job : reporters.back()->jobs()) storm.first_jobs.push_back(job);
  }
  std::vector<std::unique_ptr<Client>> clients;
  for (unsigned long i = 0; i < options.number("clients"); ++i) {
    const auto way = i % 3 == 2 ? Client::Way::all : Client::Way::jobs;
    clients.push_back(std::make_unique<Client>(storm, way, seed * 1'000 + 500 + i));
  }
  std::printf("seed %lu: begun\n", seed);
  std::fflush(stdout);

  const auto guarded = [&](auto&& work) {
    return std::thread([&storm, work] {
      try {
        work();
      } catch (const std::exception& error) {
        storm.fail(error.what());
      }
    });
  };
  std::vector<std::thread> reporting;
  std::vector<std::thread> listening;
  reporting.reserve(reporters.size());
  listening.reserve(clients.size());
  for (const auto& reporter : reporters) reporting.push_back(guarded([one = reporter.get()] { one->run(); }));
  for (const auto& client : clients) listening.push_back(guarded([one = client.get()] { one->run(); }));
  const auto end = SteadyClock::now() + std::chrono::seconds(options.number("seconds"));
  while (SteadyClock::now() < end && !storm.failed) std::this_thread::sleep_for(milliseconds(20));
  storm.reporting = false;
  for (std::thread& thread : reporting) thread.join();
  try {
    std::set<std::string> jobs;
    for (const auto& [job, seqs] : storm.acknowledged) jobs.insert(job);
    History history = read_history(options.text("database"), jobs);
    {
      const std::lock_guard lock(storm.mutex);
      storm.history = std::move(history);
    }
    check_acknowledged(storm);
    for (std::thread& thread : listening) thread.join();
    for (const auto& client : clients) client->check();
  } catch (const std::exception& error) {
    storm.fail(error.what());
    for (std::thread& thread : listening) {
      if (thread.joinable()) thread.join();
    }
  }
  std::printf("seed %lu: %lu reports, %lu connections\n", seed, storm.reports.load(), storm.connections.load());
  if (storm.failed) std::printf("%s\n", storm.why.c_str());
  return storm.failed ? 1 : 0;
}

}  // namespace
}  // namespace carillon::stress

int main(int count, char** words) { return carillon::stress::run_program(count, words, carillon::stress::run); }
