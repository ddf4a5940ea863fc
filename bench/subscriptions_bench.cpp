// Who listens to a job? Found for each event on each loop; and what subscribing and going cost.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "channels/websocket/subscriptions.h"

namespace {

using namespace carillon;
using namespace carillon::channels::websocket;

/// So many sessions on so many jobs, each session on one, in turn. The index never looks into a session.
class Subscribed {
 public:
  Subscribed(std::size_t job_count, std::size_t sessions) : rooms_(sessions), lists_(sessions) {
    for (std::size_t i = 0; i < job_count; ++i) jobs.push_back(hub::JobId::random());
    for (std::size_t i = 0; i < sessions; ++i) index.add(lists_[i], session(i), jobs[i % job_count], 0);
  }
  ~Subscribed() {
    for (auto& list : lists_) index.remove_all(list);
  }
  Subscribed(const Subscribed&) = delete;
  Subscribed& operator=(const Subscribed&) = delete;

  Session& session(std::size_t number) { return reinterpret_cast<Session&>(rooms_[number]); }
  SubscriptionList& list(std::size_t number) { return lists_[number]; }

  std::vector<hub::JobId> jobs;
  JobSubscriptions index;

 private:
  std::vector<char> rooms_;
  std::vector<SubscriptionList> lists_;
};

void look_up(benchmark::State& state) {
  Subscribed all(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
  std::size_t n = 0;
  std::uint64_t found = 0;
  for (auto _ : state) {
    n = (n + 7'919) % all.jobs.size();
    all.index.for_each(all.jobs[n], [&](const Subscription& subscription) {
      benchmark::DoNotOptimize(subscription.session);
      ++found;
    });
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(found));
}
BENCHMARK(look_up)
    ->ArgNames({"jobs", "sessions"})
    ->Args({1'000, 1'000})
    ->Args({100'000, 100'000})
    ->Args({10, 1'000})
    ->Args({1, 100'000});

/// Most events on a loop are of jobs that nobody on it listens to.
void look_up_in_vain(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Subscribed all(count, count);
  const hub::JobId other = hub::JobId::random();
  for (auto _ : state) {
    all.index.for_each(other, [](const Subscription& subscription) { benchmark::DoNotOptimize(subscription.session); });
  }
}
BENCHMARK(look_up_in_vain)->ArgName("jobs")->Arg(1'000)->Arg(100'000);

void subscribe_and_go(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Subscribed all(count, count);
  std::size_t n = 0;
  for (auto _ : state) {
    n = (n + 7'919) % count;
    all.index.remove_all(all.list(n));
    all.index.add(all.list(n), all.session(n), all.jobs[n], 0);
  }
}
BENCHMARK(subscribe_and_go)->ArgName("jobs")->Arg(1'000)->Arg(100'000);

}  // namespace
