// What remembering whom the hub told adds to the road: see docs/decisions/0032.
#include <benchmark/benchmark.h>

#include <vector>

#include "channels/notification_log.h"

namespace {

using namespace carillon;
using channels::NotificationLog;
using channels::Sent;

/// One event a commit, passed on to connections.
void an_event(benchmark::State& state) {
  NotificationLog log({}, 0, 1);
  hub::CommitBatch batch;
  for (auto _ : state) {
    ++batch.last;
    log.on_commit(batch);
    log.sent(batch.last, &Sent::websocket, 100);
  }
}
BENCHMARK(an_event);

/// A job that is asked for: one of a few, or one of more than are remembered.
void a_poll(benchmark::State& state) {
  NotificationLog log({}, 0, 1);
  std::vector<hub::JobId> jobs(static_cast<std::size_t>(state.range(0)));
  for (hub::JobId& job : jobs) job = hub::JobId::random();
  hub::UnixMs now = 1;
  std::size_t at = 0;
  for (auto _ : state) {
    const std::size_t job = at++ % jobs.size();
    log.polled(jobs[job], {++now, static_cast<hub::Seq>(job + 1), {7}}, true);
  }
}
BENCHMARK(a_poll)->Arg(1)->Arg(1'000)->Arg(100'000);

/// A question, while all the drops there is room for are later than its events.
void a_question(benchmark::State& state) {
  NotificationLog log({}, 0, 1);
  for (int i = 0; i < 20'000; ++i) {
    log.dropped({1, {7}, "websocket", "lost", 1006}, {}, [](auto&& visit) { visit(hub::JobId{}); });
  }
  const NotificationLog::Question question{hub::JobId::random(), {}, {0}};
  for (auto _ : state) benchmark::DoNotOptimize(log.recall(question));
}
BENCHMARK(a_question);

}  // namespace
