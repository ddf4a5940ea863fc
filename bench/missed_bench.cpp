// What it costs to read what a client has missed, while the database is in memory: see docs/decisions/0009.
#include <benchmark/benchmark.h>

#include <array>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "hub/rules.h"
#include "storage/sqlite/store.h"

namespace {

using namespace carillon;

constexpr int jobs = 100;
constexpr int jobs_that_wait = 10'000;
constexpr int events = 1'000'000;

/// A hub's worth of history: many jobs that wait, and the events of a hundred others of the same key, in turn.
class History final : public hub::CommitListener {
 public:
  History() {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-bench-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    storage::sqlite::StoreOptions options;
    options.path = (folder_ / "carillon.db").string();
    options.queue_max = 2 * events;
    store_ = storage::sqlite::open_store(options, rules_, clock_);
    store_->add(*this);
    for (int n = 0; n < jobs_that_wait; ++n) {
      store_->submit({by_, hub::JobId::random(), {}, {}, {}}, *this, [](const auto&) {});
    }
    for (auto& id : ids_) {
      id = hub::JobId::random();
      wait([&](auto then) { store_->submit({by_, id, {}, {}, {}}, *this, then); });
      wait([&](auto then) { store_->report({by_, id, hub::JobStatus::running, {}, {}, {}}, *this, then); });
    }
    for (int n = 0; n < events; n += jobs) {
      const hub::Text progress = hub::make_text("{\"page\":" + std::to_string(n) + ",\"of\":100000}");
      for (const auto& id : ids_) store_->report({by_, id, {}, {}, {}, progress}, *this, [](const auto&) {});
    }
    wait([&](auto then) { store_->report({by_, ids_[0], {}, {}, {}, hub::make_text("1")}, *this, then); });
    reader_ = store_->open_reader();
  }
  ~History() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void on_commit(const hub::CommitBatchPtr&, hub::Replies replies) noexcept override {
    for (const auto& reply : replies) reply->run();
  }

  hub::Reader& reader() { return *reader_; }
  const hub::JobId& job(std::size_t n) const { return ids_[n % jobs]; }
  hub::JobOwner owner() const { return {by_.key, by_.account}; }

 private:
  template <typename Ask>
  static void wait(Ask ask) {
    std::promise<void> done;
    ask(hub::Then<hub::Job>([&](const hub::Outcome<hub::Job>&) { done.set_value(); }));
    done.get_future().wait();
  }

  std::filesystem::path folder_;
  hub::SystemClock clock_;
  hub::Rules rules_{hub::Ownership(hub::OwnershipScope::key)};
  hub::Principal by_{{1}, {1}, hub::Role::client};
  std::array<hub::JobId, jobs> ids_{};
  std::unique_ptr<hub::Store> store_;
  std::unique_ptr<hub::Reader> reader_;
};

History& history() {
  static History one;
  return one;
}

constexpr hub::MissedLimit no_limit{1'000'000, 1'000'000'000};

void job_as_it_stands(benchmark::State& state) {
  std::size_t n = 0;
  for (auto _ : state) benchmark::DoNotOptimize(history().reader().find_job(history().job(n++)));
}
BENCHMARK(job_as_it_stands);

/// So many events of one job, which stand a hundred rows apart.
void job_and_what_was_missed(benchmark::State& state) {
  hub::Reader& reader = history().reader();
  std::size_t n = 0;
  for (auto _ : state) {
    const hub::Seq after = reader.last_seq() - 1 - state.range(0) * jobs;
    benchmark::DoNotOptimize(reader.find_job_since(history().job(n++), after, no_limit));
  }
}
BENCHMARK(job_and_what_was_missed)->Arg(0)->Arg(1)->Arg(10)->Arg(100)->Arg(1'000);

/// So many events of others, none of which is the key's.
void all_jobs_of_another_key(benchmark::State& state) {
  hub::Reader& reader = history().reader();
  const hub::Seq after = reader.last_seq() - state.range(0);
  for (auto _ : state) benchmark::DoNotOptimize(reader.events_since({{2}, {1}}, after, no_limit));
}
BENCHMARK(all_jobs_of_another_key)->Arg(1'000)->Arg(1'000'000);

/// So many events of all, and all are the key's.
void all_jobs_of_the_key(benchmark::State& state) {
  hub::Reader& reader = history().reader();
  const hub::Seq after = reader.last_seq() - state.range(0);
  for (auto _ : state) benchmark::DoNotOptimize(reader.events_since(history().owner(), after, no_limit));
}
BENCHMARK(all_jobs_of_the_key)->Arg(100)->Arg(1'000);

/// A page of the feed from the middle of the history, whose events are all the key's.
void a_page_of_the_feed(benchmark::State& state) {
  hub::Reader::FeedPage page{{hub::Sight::Of::key, history().owner().account, history().owner().key}, events / 2};
  page.events_max = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(history().reader().feed(page));
}
BENCHMARK(a_page_of_the_feed)->Arg(1)->Arg(100)->Arg(1'000);

/// A list that finds nothing among all the jobs that it may look at.
void a_list_of_none(benchmark::State& state) {
  hub::Reader::JobPage page;
  page.of = {hub::Sight::Of::key, history().owner().account, history().owner().key};
  page.status = hub::JobStatus::failed;
  page.looked_at_max = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(history().reader().jobs(page));
}
BENCHMARK(a_list_of_none)->Arg(5'000);

}  // namespace
