// The dispatcher: sends what webhooks are owed, at least once, from the table that the events were written with.
//
// It works on disk and hears of commits only to be quick: what it holds in memory is a window, bounded in deliveries
// per endpoint and in bytes over all, and what it forgets (in a crash, or because a window is full) it finds again in
// the table by its due time. Outcomes go to the store once a turn of the loop, together; while it cannot take them,
// sending stops at a bound.
//
// Nobody holds up another. Every endpoint has a queue and a limit of requests of its own; accounts take turns, and an
// account's endpoints among them. They do so in lanes, by how the endpoints are doing (EndpointHealth), each with its
// bound of requests under way; a request that takes long leaves the lane of those that do not while it is under way. So
// neither a dead endpoint nor a hundred of them take the place of one that is well.
//
// Threads: a thread of its own, with an event loop; the public functions from one other thread, figures() and loop()
// from any.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "channels/event_payload.h"
#include "channels/webhook/address_guard.h"
#include "channels/webhook/dispatch_figures.h"
#include "channels/webhook/endpoint_queue.h"
#include "channels/webhook/outcomes.h"
#include "channels/webhook/retry_schedule.h"
#include "channels/webhook/transfers.h"
#include "channels/webhook/turns.h"
#include "channels/webhook/window_budget.h"
#include "hub/clock.h"
#include "hub/commit_inbox.h"
#include "hub/store.h"
#include "net/event_loop.h"

namespace carillon::channels::webhook {

struct DispatcherOptions {
  using OnAttempt = std::function<void(const hub::Delivery&, const hub::Attempt&)>;

  TransferOptions transfers;
  RetrySchedule schedule;
  PayloadOptions payload{};
  std::size_t in_flight_max = 64;       ///< requests to endpoints in good time, and as many to untried ones
  std::size_t in_flight_slow_max = 64;  ///< to slow endpoints, and as many to those that are down
  std::int64_t slow_ms = 250;           ///< after which a request takes long
  EndpointQueue::Limits queue{};
  std::size_t window_bytes_max = std::size_t{64} * 1024 * 1024;
  std::int64_t disable_after_ms = std::int64_t{5} * 24 * 3600 * 1000;  ///< of nothing but failures
  std::size_t unrecorded_max = 2'000;   ///< attempts made or under way whose outcome is not on disk yet
  std::size_t queues_kept_max = 1'000;  ///< of endpoints for which nothing is pending
  OnAttempt on_attempt{};               ///< told of each, for a log; empty: nobody is
  net::MonotonicSource monotonic = net::steady_now_ms;
};

class Dispatcher final : public hub::CommitListener, private net::TurnEnd {
 public:
  /// The store and the clock outlive it.
  Dispatcher(hub::Store& store, const hub::Clock& clock, DispatcherOptions options);
  ~Dispatcher() override;

  /// Takes up what is pending, and from then on what is committed. Once. Throws hub::StoreError; then nothing is begun.
  void start();
  /// Other options from now on; an attempt that is under way ends as it was begun.
  void set_options(DispatcherOptions options);
  /// Begins no attempt any more, and lets those that are under way come to their end. The future is ready when they
  /// have: after webhooks.timeout_s at the latest. Once, while it runs.
  std::future<void> drain();
  /// Breaks off what is under way: it stays due. Outcomes that are known are handed to the store. Idempotent.
  void stop();

  void on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept override;

  const DispatchFigures& figures() const { return figures_; }

  /// For who asks whether it turns: what is posted there is run in its turn.
  net::EventLoop& loop() { return loop_; }

 private:
  /// A request.
  struct UnderWay {
    Waiting waiting;
    hub::UnixMs started_at = 0;
    net::MonotonicMs begun_ms = 0;
    Lane lane = Lane::quick;  ///< that it is counted in
    bool stalled = false;     ///< it was moved there because it takes long
  };
  using Requests = std::list<UnderWay>;

  /// What there is of each lane.
  struct LaneState {
    Turns turns;
    Requests requests;  ///< under way, in the order in which they came into the lane
  };

  /// Calls a member of the dispatcher at a time.
  class Alarm final : public net::Timer {
   public:
    Alarm(Dispatcher& owner, void (Dispatcher::*ring)()) : owner_(owner), ring_(ring) {}

   private:
    void on_timer() override { (owner_.*ring_)(); }
    Dispatcher& owner_;
    void (Dispatcher::*ring_)();
  };

  void on_turn_end() override;

  void take_in();
  void on_batch(const hub::CommitBatch& batch);

  EndpointQueue& queue_of(hub::EndpointId id);
  /// Refills it if it is time, and lets it line up if it has something to send.
  void consider(EndpointQueue& queue);
  /// Whether it may send its first delivery now; where only time is in the way, it is looked at again then.
  bool may_send(EndpointQueue& queue, hub::UnixMs now);
  /// Nothing is known any more of an endpoint for which nothing is pending, but for those used last.
  void keep_or_forget(EndpointQueue& queue);
  /// The endpoint as it is now, looked up at need; null when nothing can be sent to it for now.
  Target* target_of(EndpointQueue& queue);

  void wake_at(EndpointQueue& queue, hub::UnixMs at);
  void set_wake_alarm();
  void wake_queues();

  void ask_turn_end();
  LaneState& state_of(Lane lane) { return lanes_[static_cast<std::size_t>(lane)]; }
  void give_turns(Lane lane);
  bool has_room(Lane lane);

  void send(EndpointQueue& queue, Target& target);
  void note_stalled_requests();
  void on_result(Requests::iterator request, TransferResult result);
  void note_health(EndpointQueue& queue, const UnderWay& request, const TransferResult& result);
  void on_recorded(const std::vector<hub::Attempt>& attempts);
  void publish_figures();
  void tell_if_drained();

  hub::Store& store_;
  const hub::Clock& clock_;
  DispatcherOptions options_;
  net::EventLoop loop_;
  std::unique_ptr<hub::Reader> reader_;
  Transfers transfers_;
  hub::CommitInbox inbox_;

  WindowBudget budget_;
  std::unordered_map<hub::EndpointId, std::unique_ptr<EndpointQueue>> queues_;
  std::deque<hub::EndpointId> idle_;  ///< maybe idle, the longest so first
  std::array<LaneState, lanes.size()> lanes_;
  std::set<std::pair<hub::UnixMs, hub::EndpointId>> wake_ups_;  ///< when to look at a queue again
  Alarm wake_alarm_;
  Alarm stall_alarm_;
  Alarm figures_alarm_;
  Outcomes outcomes_;
  DispatchFigures figures_;
  bool turn_end_asked_ = false;
  bool ending_ = false;                          ///< nothing is sent any more
  std::shared_ptr<std::promise<void>> drained_;  ///< to be told when nothing is under way; null: nobody asked
  bool running_ = false;
  std::thread thread_;
};

}  // namespace carillon::channels::webhook
