// What a report costs the store: changes handed over in groups, as the loops do, each answered when it is on disk.
// The CPU time is the whole process's, the committer's thread included.
#include <benchmark/benchmark.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hub/rules.h"
#include "storage/sqlite/store.h"

namespace carillon::storage::sqlite {
namespace {

/// Counts the answers.
class Home final : public hub::CommitListener {
 public:
  void on_commit(const hub::CommitBatchPtr& /*batch*/, hub::Replies replies) noexcept override {
    for (const auto& reply : replies) reply->run();
    {
      const std::lock_guard lock(mutex_);
      answered_ += replies.size();
    }
    arrived_.notify_one();
  }

  bool gathers() noexcept override { return gathering_; }
  void gather(bool on) { gathering_ = on; }

  void await(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [&] { return answered_ >= count; });
    answered_ = 0;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::size_t answered_ = 0;
  bool gathering_ = false;
};

/// A store in a folder of its own, with jobs that run, of so many owners in turn.
class Running {
 public:
  Running(std::size_t jobs, std::int64_t owners) : rules_(hub::Ownership(hub::OwnershipScope::key)) {
    std::string folder = (std::filesystem::temp_directory_path() / "carillon-bench-XXXXXX").string();
    folder_ = mkdtemp(folder.data());
    StoreOptions options;
    options.path = (folder_ / "carillon.db").string();
    store_ = open_store(options, rules_, clock_);
    store_->add(home_);
    for (std::size_t i = 0; i < jobs; ++i) {
      jobs_.push_back(hub::JobId::random());
      const hub::Principal owner{{1 + static_cast<std::int64_t>(i) % owners}, {1}, hub::Role::client};
      store_->submit({owner, jobs_.back(), {}, {}, {}}, home_, [](const hub::Outcome<hub::Job>&) {});
    }
    home_.await(jobs);
    report(jobs, nullptr);
  }
  ~Running() {
    store_->remove(home_);
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  /// Reports on as many jobs, from where the last call ended, in one group; returns when all are answered.
  void report(std::size_t count, const hub::Text& progress) {
    home_.gather(true);
    for (std::size_t i = 0; i < count; ++i) {
      next_ = (next_ + 7919) % jobs_.size();
      store_->report({worker_, jobs_[next_], hub::JobStatus::running, {}, {}, progress}, home_,
                     [](const hub::Outcome<hub::Job>&) {});
    }
    home_.gather(false);
    store_->hand_over(home_);
    home_.await(count);
  }

 private:
  const hub::SystemClock clock_;
  const hub::Rules rules_;
  const hub::Principal worker_{{1}, {1}, hub::Role::worker};
  std::filesystem::path folder_;
  Home home_;
  std::unique_ptr<hub::Store> store_;
  std::vector<hub::JobId> jobs_;
  std::size_t next_ = 0;
};

void report_progress(benchmark::State& state) {
  Running running(static_cast<std::size_t>(state.range(0)), state.range(2));
  const auto group = static_cast<std::size_t>(state.range(1));
  const hub::Text progress = hub::make_text(R"({"page":7,"note":")" + std::string(200, 'x') + "\"}");
  for (auto _ : state) running.report(group, progress);
  state.counters["cpu_us_per_report"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(1)) / 1e6,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(report_progress)
    ->ArgNames({"jobs", "group", "owners"})
    ->Args({1'000, 1, 1})
    ->Args({1'000, 32, 1})
    ->Args({1'000, 1'000, 1})
    ->Args({1'000, 1'000, 1'000})
    ->Args({100'000, 32, 1})
    ->Args({100'000, 32, 10'000})
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace carillon::storage::sqlite
