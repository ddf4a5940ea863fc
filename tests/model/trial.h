// One trial: a seed, and all that follows from it. The hub and the reference are given the same operations, among
// faults of the disk, the network, the endpoints and the process, and what the hub says is compared with what it is to
// say.
//
// What a seed decides: every operation, its arguments, every fault and where it strikes, every piece the network makes
// of a stream. What it does not: which of two threads is first, where an operation has several requests under way at
// once; the reference takes any order that the numbers say.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/model/clients.h"
#include "tests/model/dice.h"
#include "tests/model/disk.h"
#include "tests/model/endpoints.h"
#include "tests/model/listener.h"
#include "tests/model/reference.h"
#include "tests/model/running_hub.h"
#include "tests/model/template.h"

namespace carillon::model {

/// How long the hub may take for anything before it counts as lost.
struct Patience {
  std::chrono::milliseconds answer{10'000};
};

constexpr std::int64_t ms_per_s = 1'000;

/// As the story names it.
inline std::string short_of(const hub::JobId& job) { return job.text().substr(0, 8); }

class Trial {
 public:
  Trial(std::uint64_t seed, const Template& from, std::filesystem::path folder, Patience patience, bool talks);
  ~Trial();

  /// Throws Divergence.
  void run();

  /// What was done so far, a line each.
  const std::vector<std::string>& story() const { return story_; }
  std::size_t events() const { return reference_.changes().size(); }

 private:
  struct Poll {
    std::unique_ptr<HttpClient> client;
    const Caller* who;
    hub::JobId job;                 ///< of a poll of one
    std::optional<hub::Seq> after;  ///< it is answered when the job, or the feed, has something later; none: when final
    bool of_feed = false;
    std::int64_t ends_ms = 0;     ///< by what has passed
    bool may_be_refused = false;  ///< the disk has failed while it waited
  };
  struct Hook {
    std::size_t owner = 0;
    std::vector<hub::EventKind> kinds;
    bool ordered = false;
    hub::Seq since = 0;
    bool certain = false;  ///< it was answered, or found in the list
  };
  struct Wanted {
    Change change;
    Reference::Verdict verdict;
  };
  struct Lost {
    const Caller* who;
    std::map<hub::JobId, hub::Seq> jobs;
    std::optional<hub::Seq> all;
  };

  void say(std::string line);
  bool settle_until(const std::function<bool()>& ready);

  // The way to the hub.
  std::shared_ptr<Wire> connect();
  HttpClient& client_of(const Caller& who);
  std::optional<Answer> ask(const Caller& who, std::string_view method, const std::string& path,
                            const std::string& body = {}, const std::string& fields = {});
  std::optional<Answer> await_answer(HttpClient& client);

  // What is asked.
  const Caller& any_client();
  const Caller& any_reporter(const hub::JobId& job);
  std::optional<hub::JobId> any_job();
  hub::JobId new_job();
  std::string body_of(const Wanted& wanted, std::optional<hub::JobStatus> status) const;
  struct Report {
    const Caller* by;
    Wanted wanted;
    std::string body;
  };
  Report make_report();

  // Operations.
  void submit();
  void submit_again();
  void report();
  void report_many();
  void burst();
  void look_at_job();
  void look_at_feed();
  void wait_for_job();
  void wait_for_feed();
  void listen();
  void subscribe();
  void unsubscribe();
  void drop();
  void resume();
  void stall();
  void register_hook();
  void change_manner();
  void let_time_pass();
  void cut_request();
  void restart();
  void fail_disk();
  void crash(bool power);
  void try_foreign();

  // What comes of it.
  void conclude(const Wanted& wanted, const std::optional<Answer>& answer);
  void check_polls();
  void check_listeners();
  void check_feed(const Caller& who);
  void check_job(const Caller& who, const hub::JobId& job);
  void judge_job(const hub::JobId& job, const std::optional<Answer>& answer) const;
  void stop(bool kill, bool power);
  void start();
  void reconcile();
  void adopt_hooks();
  void check_hooks_at_the_end();
  void check_attempts(std::size_t place);

  std::uint64_t seed_;
  Dice dice_;
  const std::vector<Caller>& callers_;
  std::filesystem::path folder_;
  const Patience patience_;
  const bool talks_;
  Weather weather_;
  unsigned loops_;
  Time time_;
  Arrivals arrivals_;
  Reference reference_;
  std::vector<std::string> story_;
  std::unique_ptr<Endpoints> endpoints_;
  std::unique_ptr<RunningHub> hub_;
  std::map<std::size_t, std::unique_ptr<HttpClient>> clients_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::vector<Lost> lost_;
  std::vector<hub::JobId> made_;  ///< by the trial, in its order; not all are there
  std::vector<Poll> polls_;
  std::vector<Hook> hooks_;
  std::vector<Change> maybes_;      ///< may turn up after a restart
  std::vector<Change> told_ahead_;  ///< was told, and must be there after a restart
  struct Once {
    const Caller* by;
    std::string key;
    std::string body;
    hub::Seq seq;
  };
  std::vector<Once> submitted_once_;
  std::vector<DiskFault> faults_;  ///< of this trial
  bool quiet_ = true;              ///< nothing has happened that makes a webhook come twice
  bool fault_armed_ = false;
  std::size_t said_ = 0;
};

}  // namespace carillon::model
