#include "storage/sqlite/committer.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {
namespace {

constexpr std::chrono::seconds probe_interval{1};
constexpr std::chrono::seconds chores_rest{1};
constexpr int yields_max = 8;
constexpr std::size_t few = 8;

/// Failures that no single change has caused: trying them one by one would fail as many times.
bool is_of_the_store(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
      return true;
    default:
      return false;
  }
}

std::uint64_t ms_of(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count());
}

/// While it lives, others can see that the database is being written, and since when.
class UnderWay {
 public:
  UnderWay(hub::Tally& begun_ms, std::chrono::steady_clock::time_point begun_at) : begun_ms_(begun_ms) {
    begun_ms_.set(ms_of(begun_at));
  }
  ~UnderWay() { begun_ms_.set(0); }
  UnderWay(const UnderWay&) = delete;
  UnderWay& operator=(const UnderWay&) = delete;

 private:
  hub::Tally& begun_ms_;
};

}  // namespace

Committer::Committer(Writer& writer, Announcer& announcer, const hub::Clock& clock, Limits limits)
    : writer_(writer), announcer_(announcer), clock_(clock), limits_(limits), last_seq_(writer.last_seq()) {
  announcer_.begin_after(last_seq_);
  tallies_.deliveries_pending.set(writer.pending());
  thread_ = std::thread([this] { run(); });
}

Committer::~Committer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Committer::queue(hub::Replies& changes) {
  if (changes.empty()) return;
  std::size_t taken = 0;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    for (; taken < changes.size(); ++taken) {
      const std::size_t weight = as_change(changes[taken]).weight();
      // One that is heavier than the whole queue is taken where nothing else waits, whatever is being committed: who
      // has just been answered may still count as such.
      const bool alone = weight > limits_.queue_max && waiting_.empty() && taken == 0;
      if (queued_ + weight > limits_.queue_max && !alone) break;
      queued_ += weight;
    }
    waiting_.insert(waiting_.end(), std::move_iterator(changes.begin()),
                    std::move_iterator(changes.begin() + static_cast<std::ptrdiff_t>(taken)));
    if (taken > 0) wake = std::exchange(asleep_, false);
  }
  if (wake) wake_.notify_one();
  if (taken < changes.size()) {
    hub::CommitListener& home = as_change(changes.back()).home();
    hub::Replies refused(std::move_iterator(changes.begin() + static_cast<std::ptrdiff_t>(taken)),
                         std::move_iterator(changes.end()));
    for (const auto& change : refused) as_change(change).refuse(hub::Refusal::overloaded, {});
    changes.clear();
    return home.on_commit(nullptr, std::move(refused));
  }
  changes.clear();
}

std::size_t Committer::waiting() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

bool Committer::take(Changes& taken) {
  std::unique_lock lock(mutex_);
  const auto called = [this] { return !waiting_.empty() || stopping_; };
  if (!called()) {
    asleep_ = true;
    wake_.wait_for(lock, patience(), called);
    asleep_ = false;
  }
  // Where many wait, loops that are ready to run have more to hand over: they go first, as long as that brings more,
  // and one commit serves them all. Where few do, waiting would cost each of them more than it saves.
  std::size_t seen = few;
  for (int i = 0; i < yields_max && waiting_.size() > seen; ++i) {
    seen = waiting_.size();
    lock.unlock();
    std::this_thread::yield();
    lock.lock();
  }
  taken.swap(waiting_);
  return !taken.empty() || !stopping_;
}

std::chrono::milliseconds Committer::patience() const {
  if (!writable()) return probe_interval;
  if (std::chrono::steady_clock::now() < chores_rest_until_) return chores_rest;
  return writer_.chores.patience(clock_.now_ms());
}

bool Committer::chores_wait() const {
  return std::chrono::steady_clock::now() >= chores_rest_until_ && writer_.chores.waiting(clock_.now_ms());
}

void Committer::do_chores() {
  if (!chores_wait()) return;
  try {
    try_commit({}, true);
  } catch (const SqliteError& error) {
    if (is_of_the_store(error.code())) writable_.store(false, std::memory_order_relaxed);
  } catch (const hub::StoreError&) {  // NOLINT(bugprone-empty-catch): tried again after a rest
  }
}

void Committer::run() {
  pthread_setname_np(pthread_self(), "committer");  // as top and perf show it
  Changes taken;
  while (take(taken)) {
    if (taken.empty()) writable() ? do_chores() : probe();
    for (Slice rest = taken; !rest.empty();) {
      const auto [next, weight] = first_of(rest);
      rest = rest.subspan(next.size());
      commit(next);
      const std::lock_guard lock(mutex_);
      queued_ -= weight;
    }
    taken.clear();
  }
}

Committer::Weighed Committer::first_of(Slice changes) const {
  std::size_t count = 0;
  std::size_t weight = 0;
  while (count < changes.size() && (count == 0 || weight < limits_.batch_max)) {
    const std::size_t more = as_change(changes[count]).weight();
    if (count > 0 && weight + more > limits_.batch_max) break;
    weight += more;
    ++count;
  }
  return {changes.first(count), weight};
}

void Committer::commit(Slice changes) {
  if (damaged()) return refuse(changes, "the database is damaged");
  const bool with_chores = chores_wait();
  try {
    const hub::CommitBatchPtr batch = try_commit(changes, with_chores);
    writable_.store(true, std::memory_order_relaxed);
    announcer_.announce(batch, changes);
  } catch (const hub::StoreError& error) {
    const auto* const by_sqlite = dynamic_cast<const SqliteError*>(&error);
    if (by_sqlite != nullptr && is_of_the_store(by_sqlite->code())) {
      writable_.store(false, std::memory_order_relaxed);
      refuse(changes, error.what());
    } else if (with_chores) {
      commit(changes);  // without them: they rest now
    } else if (changes.size() == 1) {
      refuse(changes, error.what());
    } else {
      for (std::size_t i = 0; i < changes.size(); ++i) commit(changes.subspan(i, 1));
    }
  }
}

hub::CommitBatchPtr Committer::try_commit(Slice changes, bool with_chores) {
  auto batch = std::make_shared<hub::CommitBatch>();
  batch->after = batch->last = last_seq_;
  WriteContext context{*batch, clock_.now_ms(), clock_.even_ms()};
  const auto begun_at = std::chrono::steady_clock::now();
  const UnderWay under_way(tallies_.commit_begun_ms, begun_at);
  try {
    writer_.begin();
    for (const auto& change : changes) as_change(change).apply(writer_, context);
    if (with_chores) writer_.chores.slice(context);
    batch->number = last_number_ + (batch->has_news() ? 1 : 0);
    newest_commit_.store(batch->number);
    writer_.commit();
  } catch (const hub::StoreError&) {
    writer_.roll_back();
    newest_commit_.store(last_number_);
    if (with_chores) chores_rest_until_ = std::chrono::steady_clock::now() + chores_rest;
    throw;
  }
  batch->durable_at = std::chrono::steady_clock::now();
  last_seq_ = batch->last;
  last_number_ = batch->number;
  hub::Tally& pending = tallies_.deliveries_pending;
  pending.set(pending.read() + static_cast<std::uint64_t>(context.pending_more));
  if (!changes.empty()) count(*batch, changes, begun_at);
  return batch;
}

void Committer::count(const hub::CommitBatch& batch, Slice changes, std::chrono::steady_clock::time_point begun_at) {
  ++tallies_.commits;
  std::size_t weight = 0;
  for (const auto& change : changes) weight += as_change(change).weight();
  tallies_.commit_changes.observe(static_cast<double>(weight));
  tallies_.commit_seconds.observe(std::chrono::duration<double>(batch.durable_at - begun_at).count());
  for (const hub::EventPtr& event : batch.events) ++tallies_.events_of(event->kind);
}

void Committer::refuse(Slice changes, const std::string& detail) {
  for (const auto& change : changes) as_change(change).refuse(hub::Refusal::unavailable, detail);
  announcer_.announce(nullptr, changes);
}

void Committer::probe() {
  if (damaged()) return;
  const UnderWay under_way(tallies_.commit_begun_ms, std::chrono::steady_clock::now());
  try {
    writer_.probe();
    writable_.store(true, std::memory_order_relaxed);
  } catch (const SqliteError&) {
    writer_.roll_back();
  }
}

}  // namespace carillon::storage::sqlite
