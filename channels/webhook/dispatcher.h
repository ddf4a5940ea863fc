// The dispatcher: sends what webhooks are owed, at least once, from the table that the events were written with.
//
// It works on disk and hears of commits only to be quick: what it holds in memory is a bounded window per endpoint, and
// what it forgets (in a crash, or because a queue is full) it finds again in the table by its due time. Every endpoint
// has its own queue and its own limit of requests under way, and they take turns, so that one that does not answer
// holds up itself alone. Outcomes go to the store once a turn of the loop, together; while it cannot take them, sending
// stops at a bound.
//
// Threads: a thread of its own, with an event loop; the public functions from one other thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "channels/webhook/address_guard.h"
#include "channels/webhook/endpoint_queue.h"
#include "channels/webhook/outcomes.h"
#include "channels/webhook/retry_schedule.h"
#include "channels/webhook/transfers.h"
#include "hub/clock.h"
#include "hub/commit_inbox.h"
#include "hub/store.h"
#include "net/event_loop.h"

namespace carillon::channels::webhook {

struct DispatcherOptions {
  AddressGuard guard;
  RetrySchedule schedule;
  std::int64_t timeout_ms = 10'000;  ///< for one request
  std::size_t in_flight_max = 64;
  std::size_t in_flight_per_endpoint_max = 16;
  std::int64_t disable_after_ms = std::int64_t{5} * 24 * 3600 * 1000;  ///< of nothing but failures
  std::string ca_file{};
  std::size_t window_per_endpoint_max = 64;  ///< deliveries in memory that are not under way
  std::size_t unrecorded_max = 1'000;        ///< attempts made or under way whose outcome is not on disk yet
};

class Dispatcher final : public hub::CommitListener, private net::TurnEnd, private net::Timer {
 public:
  /// The store and the clock outlive it.
  Dispatcher(hub::Store& store, const hub::Clock& clock, DispatcherOptions options);
  ~Dispatcher() override;

  /// Takes up what is pending, and from then on what is committed. Once. Throws hub::StoreError; then nothing is begun.
  void start();
  /// Breaks off what is under way: it stays due. Outcomes that are known are handed to the store. Idempotent.
  void stop();

  void on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept override;

 private:
  void on_turn_end() override;
  void on_timer() override;

  void take_in();
  void on_batch(const hub::CommitBatch& batch);

  EndpointQueue& queue_of(hub::EndpointId id);
  /// Refills it if it is time, and gives it a turn if it has something to send.
  void consider(EndpointQueue& queue);
  void wake_at(EndpointQueue& queue, hub::UnixMs at);
  void set_timer();
  void give_turns();
  /// The endpoint as it is now, looked up at need; null when nothing can be sent to it for now.
  const hub::Endpoint* endpoint_of(EndpointQueue& queue);
  void send(EndpointQueue& queue, const hub::Endpoint& endpoint, hub::Delivery delivery);
  void on_result(const hub::Delivery& delivery, hub::UnixMs started_at, TransferResult result);
  void on_recorded(const std::vector<hub::Attempt>& attempts);
  void ask_turn_end();

  hub::Store& store_;
  const hub::Clock& clock_;
  const DispatcherOptions options_;
  net::EventLoop loop_;
  std::unique_ptr<hub::Reader> reader_;
  Transfers transfers_;
  hub::CommitInbox inbox_;

  std::unordered_map<hub::EndpointId, std::unique_ptr<EndpointQueue>> queues_;
  std::deque<hub::EndpointId> turns_;                           ///< those with something to send
  std::set<std::pair<hub::UnixMs, hub::EndpointId>> wake_ups_;  ///< when to look at a queue again
  Outcomes outcomes_;
  bool turn_end_asked_ = false;
  bool ending_ = false;  ///< nothing is sent any more
  bool running_ = false;
  std::thread thread_;
};

}  // namespace carillon::channels::webhook
