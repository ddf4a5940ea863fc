#include "channels/webhook/dispatcher.h"

#include <pthread.h>

#include <algorithm>

#include "channels/webhook/attempt_verdict.h"
#include "channels/webhook/payload.h"
#include "channels/webhook/signer.h"

namespace carillon::channels::webhook {
namespace {

/// When the store cannot be read it is asked again after this.
constexpr hub::UnixMs store_pause_ms = 1'000;
/// The wall clock may be set: due times are looked at again at least this often.
constexpr hub::UnixMs timer_max_ms = 30'000;

TransferOptions transfer_options(const DispatcherOptions& options) {
  return {options.guard, options.timeout_ms, options.ca_file, options.in_flight_max};
}

}  // namespace

Dispatcher::Dispatcher(hub::Store& store, const hub::Clock& clock, DispatcherOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      reader_(store.open_reader()),
      transfers_(loop_, transfer_options(options_)),
      outcomes_(store, *this, loop_, [this](const std::vector<hub::Attempt>& attempts) { on_recorded(attempts); }) {}

Dispatcher::~Dispatcher() { stop(); }

void Dispatcher::start() {
  // Told of commits first, then looking at what there is: what falls between is found twice and taken once.
  store_.add(*this);
  std::vector<hub::Reader::EndpointBacklog> backlog;
  try {
    backlog = reader_->backlog();
  } catch (const hub::StoreError&) {
    store_.remove(*this);
    throw;
  }
  running_ = true;
  loop_.post([this, backlog = std::move(backlog)] {
    for (const auto& owed : backlog) {
      EndpointQueue& queue = queue_of(owed.endpoint);
      queue.note_on_disk(owed.next_due_at);
      consider(queue);
    }
  });
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "webhooks");
    loop_.run();
  });
}

void Dispatcher::stop() {
  if (!running_) return;
  running_ = false;
  loop_.post([this] {
    ending_ = true;
    transfers_.abort_all();
    outcomes_.hand_over_the_last();
  });
  loop_.stop();
  thread_.join();
  store_.remove(*this);
}

// --- what is told ----------------------------------------------------------------------------------------------------

void Dispatcher::on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept {
  const bool concerns =
      !replies.empty() || (batch && (!batch->deliveries.empty() || !batch->endpoints_changed.empty()));
  if (concerns && inbox_.put(batch, std::move(replies))) loop_.post([this] { take_in(); });
}

void Dispatcher::take_in() {
  for (const auto& commit : inbox_.take()) {
    // Outcomes first: what they release may be due again in the same commit.
    for (const auto& reply : commit.replies) reply->run();
    if (commit.batch) on_batch(*commit.batch);
  }
}

void Dispatcher::on_batch(const hub::CommitBatch& batch) {
  for (const hub::EndpointId id : batch.endpoints_changed) {
    const auto found = queues_.find(id);
    if (found == queues_.end()) continue;
    // Deleted or disabled it has nothing pending any more; the table knows.
    found->second->endpoint.reset();
    found->second->put_back_ready();
    consider(*found->second);
  }
  const hub::UnixMs now = clock_.now_ms();
  for (const hub::DeliveryNotice& notice : batch.deliveries) {
    EndpointQueue& queue = queue_of(notice.endpoint);
    queue.offer(notice, now);
    consider(queue);
  }
}

// --- queues and turns ------------------------------------------------------------------------------------------------

EndpointQueue& Dispatcher::queue_of(hub::EndpointId id) {
  auto& queue = queues_[id];
  if (!queue) queue = std::make_unique<EndpointQueue>(id, options_.window_per_endpoint_max);
  return *queue;
}

void Dispatcher::consider(EndpointQueue& queue) {
  const hub::UnixMs now = clock_.now_ms();
  if (queue.wants_refill(now)) {
    try {
      queue.refill(*reader_, now);
    } catch (const hub::StoreError&) {
      return wake_at(queue, now + store_pause_ms);
    }
  }
  if (queue.disk_due_at() > now && queue.disk_due_at() != EndpointQueue::never) wake_at(queue, queue.disk_due_at());
  if (queue.has_ready() && !queue.in_turn && queue.under_way < options_.in_flight_per_endpoint_max) {
    queue.in_turn = true;
    turns_.push_back(queue.id());
    ask_turn_end();
  }
  if (queue.idle() && queue.under_way == 0 && !queue.in_turn) queues_.erase(queue.id());
}

void Dispatcher::wake_at(EndpointQueue& queue, hub::UnixMs at) {
  wake_ups_.emplace(at, queue.id());
  set_timer();
}

void Dispatcher::set_timer() {
  if (wake_ups_.empty()) return cancel();
  const hub::UnixMs next = wake_ups_.begin()->first;
  loop_.set_timer_in(*this, std::clamp<hub::UnixMs>(next - clock_.now_ms(), 0, timer_max_ms));
}

void Dispatcher::on_timer() {
  const hub::UnixMs now = clock_.now_ms();
  while (!wake_ups_.empty() && wake_ups_.begin()->first <= now) {
    const hub::EndpointId id = wake_ups_.begin()->second;
    wake_ups_.erase(wake_ups_.begin());
    if (const auto found = queues_.find(id); found != queues_.end()) consider(*found->second);
  }
  set_timer();
}

void Dispatcher::ask_turn_end() {
  if (!std::exchange(turn_end_asked_, true)) loop_.at_turn_end(*this);
}

void Dispatcher::on_turn_end() {
  turn_end_asked_ = false;
  give_turns();
  outcomes_.hand_over();
}

void Dispatcher::give_turns() {
  const auto may_send = [this] {
    const std::size_t in_flight = transfers_.in_flight();
    return !ending_ && in_flight < options_.in_flight_max &&
           in_flight + outcomes_.unrecorded() < options_.unrecorded_max;
  };
  while (!turns_.empty() && may_send()) {
    EndpointQueue& queue = *queues_.at(turns_.front());
    turns_.pop_front();
    queue.in_turn = false;
    if (!queue.has_ready()) {
      consider(queue);
      continue;
    }
    if (const hub::Endpoint* endpoint = endpoint_of(queue)) {
      send(queue, *endpoint, queue.next());
      consider(queue);
    } else {
      queue.put_back_ready();
      wake_at(queue, clock_.now_ms() + store_pause_ms);
    }
  }
}

const hub::Endpoint* Dispatcher::endpoint_of(EndpointQueue& queue) {
  try {
    if (!queue.endpoint) queue.endpoint = reader_->find_endpoint(queue.id());
  } catch (const hub::StoreError&) {
    return nullptr;
  }
  if (!queue.endpoint || queue.endpoint->status != hub::EndpointStatus::enabled) return nullptr;
  return &*queue.endpoint;
}

// --- attempts --------------------------------------------------------------------------------------------------------

void Dispatcher::send(EndpointQueue& queue, const hub::Endpoint& endpoint, hub::Delivery delivery) {
  const hub::UnixMs started_at = clock_.now_ms();
  const std::int64_t timestamp_s = started_at / 1000;
  const hub::Text& body = payload(*delivery.event);
  const std::string message = hub::to_text(delivery.message);
  const std::vector<std::string> fields = {
      "webhook-id: " + message,
      "webhook-timestamp: " + std::to_string(timestamp_s),
      "webhook-signature: " + signature(endpoint.secret, message, timestamp_s, *body),
  };
  ++queue.under_way;
  transfers_.start(endpoint.url, fields, body,
                   [this, delivery = std::move(delivery), started_at](TransferResult result) {
                     on_result(delivery, started_at, std::move(result));
                   });
}

void Dispatcher::on_result(const hub::Delivery& delivery, hub::UnixMs started_at, TransferResult result) {
  EndpointQueue& queue = queue_of(delivery.endpoint);
  --queue.under_way;
  AttemptEnd end{result.http_status, result.retry_after_s, delivery.attempts, {}, clock_.now_ms()};
  // The endpoint may have been changed meanwhile; what is known of its failures then comes with its next look-up.
  if (queue.endpoint) end.failing_since = queue.endpoint->failing_since;
  AttemptVerdict verdict = judge(end, options_.schedule, options_.disable_after_ms, hub::random_number());
  if (queue.endpoint) {
    if (verdict.next_state == hub::DeliveryState::delivered) {
      queue.endpoint->failing_since.reset();
    } else if (!queue.endpoint->failing_since) {
      queue.endpoint->failing_since = started_at;
    }
  }
  outcomes_.add({delivery.id, delivery.endpoint, started_at, result.duration_ms, result.http_status,
                 std::move(result.error), std::move(result.response), verdict.next_state, verdict.next_due_at,
                 std::move(verdict.disable_reason)});
  ask_turn_end();
  consider(queue);
}

void Dispatcher::on_recorded(const std::vector<hub::Attempt>& attempts) {
  for (const hub::Attempt& attempt : attempts) {
    const auto found = queues_.find(attempt.endpoint);
    if (found == queues_.end()) continue;
    found->second->release(attempt.delivery);
    consider(*found->second);
  }
  if (!turns_.empty()) ask_turn_end();  // there is room again for what may be under way
}

}  // namespace carillon::channels::webhook
