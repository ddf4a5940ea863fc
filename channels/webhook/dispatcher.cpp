#include "channels/webhook/dispatcher.h"

#include <pthread.h>

#include <algorithm>
#include <optional>

#include "channels/webhook/attempt_verdict.h"
#include "hub/id.h"
#include "net/http/trace_context.h"

namespace carillon::channels::webhook {
namespace {

/// When the store cannot be read it is asked again after this.
constexpr hub::UnixMs store_pause_ms = 1'000;
/// Where a clock cannot tell that it was set, due times are looked at again at least this often.
constexpr hub::UnixMs timer_max_ms = 30'000;
constexpr net::MonotonicMs figures_every_ms = 1'000;

/// Where a request that takes long does not stay. The untried make room sooner: among them may be many that are dead,
/// each with one request, and any that is well has to get past them once.
constexpr std::array hurried_lanes{Lane::quick, Lane::untried};
std::int64_t stalls_after_ms(Lane lane, std::int64_t slow_ms) { return lane == Lane::untried ? slow_ms / 5 : slow_ms; }

/// A receiver that says it is asked for too much.
bool asks_for_less(int http_status) { return http_status == 429 || http_status == 503; }

/// The attempt is a part of the event's trace, under a number of its own.
void add_trace(std::vector<std::string>& fields, const std::string& kept) {
  const auto trace = net::http::TraceContext::from_text(kept);
  if (!trace) return;
  fields.push_back("traceparent: " + trace->traceparent(hub::random_number()));
  if (!trace->state.empty()) fields.push_back("tracestate: " + trace->state);
}

double seconds_since(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - time).count();
}

}  // namespace

Dispatcher::Dispatcher(hub::Store& store, const hub::Clock& clock, DispatcherOptions options)
    : store_(store),
      clock_(clock),
      options_(std::move(options)),
      loop_(options_.monotonic),
      reader_(store.open_reader()),
      transfers_(loop_, options_.transfers),
      budget_(options_.window_bytes_max),
      wake_alarm_(*this, &Dispatcher::wake_queues),
      stall_alarm_(*this, &Dispatcher::note_stalled_requests),
      figures_alarm_(*this, &Dispatcher::publish_figures),
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

void Dispatcher::set_options(DispatcherOptions options) {
  loop_.post([this, options = std::move(options)] {
    options_ = options;
    transfers_.set_options(options.transfers);
    budget_.set_max(options.window_bytes_max);
    for (const auto& [id, queue] : queues_) queue->health.set_requests_max(options.queue.requests_max);
    ask_turn_end();
  });
}

std::future<void> Dispatcher::drain() {
  auto done = std::make_shared<std::promise<void>>();
  std::future<void> future = done->get_future();
  loop_.post([this, done] {
    ending_ = true;
    drained_ = done;
    tell_if_drained();
  });
  return future;
}

void Dispatcher::tell_if_drained() {
  if (!drained_ || transfers_.in_flight() > 0) return;
  drained_->set_value();
  drained_.reset();
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
      !replies.empty() ||
      (batch && (!batch->deliveries.empty() || !batch->endpoints_changed.empty() || !batch->endpoints_due.empty() ||
                 !batch->jobs_erased.empty() || batch->default_secrets_changed));
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
    found->second->target.reset();
    found->second->put_back_ready();
    consider(*found->second);
  }
  if (batch.default_secrets_changed) {
    for (const auto& [id, queue] : queues_) {
      if (queue->target && queue->target->endpoint.for_jobs) queue->target.reset();
    }
  }
  const hub::UnixMs now = clock_.even_ms();
  for (const hub::DeliveryNotice& notice : batch.deliveries) {
    EndpointQueue& queue = queue_of(notice.endpoint);
    queue.offer(notice, batch.durable_at, now);
    consider(queue);
  }
  for (const hub::EndpointId id : batch.endpoints_due) {
    EndpointQueue& queue = queue_of(id);
    // Of an ordered endpoint they may come before what is in memory.
    queue.put_back_ready();
    queue.note_on_disk(now);
    consider(queue);
  }
  if (batch.jobs_erased.empty()) return;
  std::vector<EndpointQueue*> concerned;
  for (const auto& [id, queue] : queues_) {
    for (const hub::JobId& job : batch.jobs_erased) {
      if (queue->forget(job)) concerned.push_back(queue.get());
    }
  }
  for (EndpointQueue* queue : concerned) {
    if (queue->wants_refill(now)) consider(*queue);
  }
}

// --- queues ----------------------------------------------------------------------------------------------------------

EndpointQueue& Dispatcher::queue_of(hub::EndpointId id) {
  auto& queue = queues_[id];
  if (!queue) queue = std::make_unique<EndpointQueue>(id, options_.queue, budget_);
  return *queue;
}

void Dispatcher::consider(EndpointQueue& queue) {
  if (!figures_alarm_.pending()) loop_.set_timer_in(figures_alarm_, figures_every_ms);
  if (queue.in_line) return;  // and is looked at when its turn has come
  const hub::UnixMs now = clock_.even_ms();
  if (queue.wants_refill(now)) {
    try {
      queue.refill(*reader_, now);
    } catch (const hub::StoreError&) {
      return wake_at(queue, now + store_pause_ms);
    }
  }
  if (queue.disk_due_at() > now && queue.disk_due_at() != EndpointQueue::never) wake_at(queue, queue.disk_due_at());
  if (!queue.has_ready()) return keep_or_forget(queue);
  Target* const target = target_of(queue);
  if (target == nullptr) {
    queue.put_back_ready();
    return wake_at(queue, now + store_pause_ms);
  }
  if (!may_send(queue, now)) return;
  queue.in_line = true;
  state_of(queue.health.lane()).turns.add(target->endpoint.owner.account, queue.id());
  ask_turn_end();
}

bool Dispatcher::may_send(EndpointQueue& queue, hub::UnixMs now) {
  const hub::Endpoint& endpoint = queue.target->endpoint;
  if (queue.under_way >= queue.health.requests_max()) return false;
  if (queue.ordered && queue.in_progress()) return false;
  const bool is_test = queue.front().event->kind == hub::EventKind::webhook_test;
  if (endpoint.held_until && *endpoint.held_until > now && !is_test) {
    wake_at(queue, *endpoint.held_until);
    return false;
  }
  const net::MonotonicMs now_ms = loop_.now_ms();
  const net::MonotonicMs at_ms = std::max(queue.health.not_before_ms(), queue.pace.next_ms());
  if (at_ms > now_ms) {
    wake_at(queue, now + at_ms - now_ms);
    return false;
  }
  return true;
}

void Dispatcher::keep_or_forget(EndpointQueue& queue) {
  if (!queue.idle() || queue.under_way > 0) return;
  if (!std::exchange(queue.kept_idle, true)) idle_.push_back(queue.id());
  while (idle_.size() > options_.queues_kept_max) {
    const hub::EndpointId id = idle_.front();
    idle_.pop_front();
    const auto found = queues_.find(id);
    if (found == queues_.end()) continue;
    EndpointQueue& longest = *found->second;
    longest.kept_idle = false;
    if (!longest.idle() || longest.under_way > 0 || longest.in_line) continue;
    wake_ups_.erase({longest.wakes_at, id});
    queues_.erase(found);
  }
}

Target* Dispatcher::target_of(EndpointQueue& queue) {
  if (queue.target) return queue.target.get();
  try {
    auto endpoint = reader_->find_endpoint(queue.id());
    if (!endpoint) return nullptr;
    const auto secrets = reader_->secrets_of(*endpoint);
    if (secrets.empty()) return nullptr;  // it was deleted in between
    queue.target = std::make_unique<Target>(std::move(*endpoint), secrets);
    if (queue.health.lane() == Lane::untried && queue.target->endpoint.failing_since) queue.health.begin_down();
    queue.pace.set(queue.target->endpoint.max_per_second);
    queue.ordered = queue.target->endpoint.ordered;
  } catch (const hub::StoreError&) {
    return nullptr;
  }
  return queue.target.get();
}

void Dispatcher::wake_at(EndpointQueue& queue, hub::UnixMs at) {
  if (queue.wakes_at <= at) return;  // looked at then, it is told whether there is more to wait for
  if (queue.wakes_at != EndpointQueue::never) wake_ups_.erase({queue.wakes_at, queue.id()});
  queue.wakes_at = at;
  wake_ups_.emplace(at, queue.id());
  set_wake_alarm();
}

void Dispatcher::set_wake_alarm() {
  if (wake_ups_.empty()) return wake_alarm_.cancel();
  const hub::UnixMs next = wake_ups_.begin()->first;
  loop_.set_timer_in(wake_alarm_, std::clamp<hub::UnixMs>(next - clock_.even_ms(), 0, timer_max_ms));
}

void Dispatcher::wake_queues() {
  const hub::UnixMs now = clock_.even_ms();
  while (!wake_ups_.empty() && wake_ups_.begin()->first <= now) {
    EndpointQueue& queue = *queues_.at(wake_ups_.begin()->second);
    wake_ups_.erase(wake_ups_.begin());
    queue.wakes_at = EndpointQueue::never;
    consider(queue);
  }
  set_wake_alarm();
}

// --- turns -----------------------------------------------------------------------------------------------------------

void Dispatcher::ask_turn_end() {
  if (!std::exchange(turn_end_asked_, true)) loop_.at_turn_end(*this);
}

void Dispatcher::on_turn_end() {
  turn_end_asked_ = false;
  for (const Lane lane : lanes) give_turns(lane);
  outcomes_.hand_over();
  tell_if_drained();
}

bool Dispatcher::has_room(Lane lane) {
  const bool hurried = lane == Lane::quick || lane == Lane::untried;
  const std::size_t lane_max = hurried ? options_.in_flight_max : options_.in_flight_slow_max;
  return !ending_ && state_of(lane).requests.size() < lane_max &&
         transfers_.in_flight() + outcomes_.unrecorded() < options_.unrecorded_max;
}

void Dispatcher::give_turns(Lane lane) {
  Turns& turns = state_of(lane).turns;
  while (!turns.empty() && has_room(lane)) {
    EndpointQueue& queue = *queues_.at(turns.take());
    queue.in_line = false;
    const hub::UnixMs now = clock_.even_ms();
    const bool sends =
        queue.has_ready() && queue.health.lane() == lane && target_of(queue) != nullptr && may_send(queue, now);
    if (sends) send(queue, *queue.target);
    consider(queue);
  }
}

// --- attempts --------------------------------------------------------------------------------------------------------

void Dispatcher::send(EndpointQueue& queue, Target& target) {
  UnderWay request{queue.next(), clock_.now_ms(), loop_.now_ms(), queue.health.lane()};
  const hub::Delivery& delivery = request.waiting.delivery;
  const std::int64_t timestamp_s = request.started_at / 1000;
  const hub::Text& body = payload(*delivery.event, options_.payload);
  const std::string message = hub::to_text(delivery.message);
  std::vector<std::string> fields = target.own_fields;
  fields.push_back("webhook-id: " + message);
  fields.push_back("webhook-timestamp: " + std::to_string(timestamp_s));
  fields.push_back("webhook-signature: " + target.signer.signature(message, timestamp_s, *body, request.started_at));
  if (!target.endpoint.legacy_signature.empty()) {
    fields.push_back(target.endpoint.legacy_signature + ": " + target.signer.legacy_signature(*body));
  }
  if (delivery.event->trace) add_trace(fields, *delivery.event->trace);
  ++queue.under_way;
  queue.pace.count(request.begun_ms);
  Requests& requests = state_of(request.lane).requests;
  const auto place = requests.insert(requests.end(), std::move(request));
  if (!stall_alarm_.pending()) loop_.set_timer_in(stall_alarm_, stalls_after_ms(Lane::untried, options_.slow_ms));
  transfers_.start(target.endpoint.url, fields, body,
                   [this, place](TransferResult result) { on_result(place, std::move(result)); });
}

void Dispatcher::note_stalled_requests() {
  const net::MonotonicMs now_ms = loop_.now_ms();
  std::optional<net::MonotonicMs> next_ms;
  for (const Lane lane : hurried_lanes) {
    Requests& requests = state_of(lane).requests;
    while (!requests.empty()) {
      UnderWay& oldest = requests.front();
      const net::MonotonicMs stalls_ms = oldest.begun_ms + stalls_after_ms(lane, options_.slow_ms);
      if (stalls_ms > now_ms) {
        next_ms = std::min(stalls_ms, next_ms.value_or(stalls_ms));
        break;
      }
      oldest.stalled = true;
      oldest.lane = Lane::stalled;
      queue_of(oldest.waiting.delivery.endpoint).health.note_stalled();
      Requests& stalled = state_of(Lane::stalled).requests;
      stalled.splice(stalled.end(), requests, requests.begin());
      ask_turn_end();  // there is room for another
    }
  }
  if (next_ms) loop_.set_timer_in(stall_alarm_, *next_ms - now_ms);
}

void Dispatcher::note_health(EndpointQueue& queue, const UnderWay& request, const TransferResult& result) {
  const net::MonotonicMs now_ms = loop_.now_ms();
  switch (result.failure) {
    case TransferFailure::none:
      return queue.health.note_answer(request.stalled, now_ms - request.begun_ms > options_.slow_ms,
                                      asks_for_less(result.http_status));
    case TransferFailure::refused_address:
      return queue.health.note_nothing(request.stalled);
    case TransferFailure::timeout:
    case TransferFailure::tls:
    case TransferFailure::unreachable:
      return queue.health.note_no_answer(request.stalled, request.begun_ms, now_ms);
  }
}

void Dispatcher::on_result(Requests::iterator place, TransferResult result) {
  Requests ended;
  ended.splice(ended.end(), state_of(place->lane).requests, place);
  const UnderWay& request = ended.front();
  const hub::Delivery& delivery = request.waiting.delivery;
  const bool is_test = delivery.event->kind == hub::EventKind::webhook_test;
  EndpointQueue& queue = queue_of(delivery.endpoint);
  --queue.under_way;
  note_health(queue, request, result);
  figures_.count(delivery.endpoint, class_of(result), result.duration_ms / 1000.0);

  // The endpoint may have been changed meanwhile; what is known of its failures then comes with its next look-up.
  hub::Endpoint* const endpoint = queue.target ? &queue.target->endpoint : nullptr;
  AttemptEnd end{result.http_status, result.retry_after_s, delivery.tries, {}, clock_.now_ms(), is_test};
  if (endpoint != nullptr) end.failing_since = endpoint->failing_since;
  AttemptVerdict verdict = judge(end, options_.schedule, options_.disable_after_ms, hub::random_number());
  if (verdict.next_state == hub::DeliveryState::pending) verdict.next_due_at += clock_.even_ms() - end.now;
  const bool delivered = verdict.next_state == hub::DeliveryState::delivered;
  if (delivered && request.waiting.durable_at) {
    figures_.delivery_seconds.observe(seconds_since(*request.waiting.durable_at));
  }
  const bool ordered = endpoint != nullptr && endpoint->ordered;
  if (endpoint != nullptr && !is_test) {
    if (delivered) {
      endpoint->failing_since.reset();
    } else if (!endpoint->failing_since) {
      endpoint->failing_since = request.started_at;
    }
    endpoint->held_until.reset();
  }
  if (ordered && verdict.next_state == hub::DeliveryState::pending) {
    endpoint->held_until = verdict.next_due_at;
    // It comes before what is in memory, and before what is still to be told.
    queue.put_back_ready();
    queue.note_on_disk(0);
  }
  hub::Attempt attempt{delivery.id,
                       delivery.endpoint,
                       request.started_at,
                       result.duration_ms,
                       result.http_status,
                       std::move(result.error),
                       std::move(result.response),
                       verdict.next_state,
                       verdict.next_due_at,
                       std::move(verdict.disable_reason)};
  if (options_.on_attempt) options_.on_attempt(delivery, attempt);
  outcomes_.add(std::move(attempt));
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
  ask_turn_end();  // there is room again for what may be under way
}

// --- figures ---------------------------------------------------------------------------------------------------------

void Dispatcher::publish_figures() {
  const hub::UnixMs now = clock_.even_ms();
  hub::UnixMs oldest = 0;
  std::uint64_t waiting = 0;
  std::uint64_t down = 0;
  std::size_t under_way = 0;
  for (const auto& [id, queue] : queues_) {
    if (queue->health.down() && !queue->idle()) ++down;
    const auto due_at = queue->oldest_due_at();
    if (!due_at || *due_at > now) continue;
    ++waiting;
    if (*due_at > 0 && (oldest == 0 || *due_at < oldest)) oldest = *due_at;
  }
  for (const Lane lane : lanes) {
    const std::size_t requests = state_of(lane).requests.size();
    figures_.in_flight[static_cast<std::size_t>(lane)].set(requests);
    under_way += requests;
  }
  figures_.window_bytes.set(budget_.bytes());
  figures_.endpoints_waiting.set(waiting);
  figures_.endpoints_down.set(down);
  if (oldest != 0) oldest += clock_.now_ms() - now;  // as the time of day has it
  figures_.oldest_due_at_ms.set(static_cast<std::uint64_t>(oldest));
  // What begins next sets it again: a hub that has nothing to send does not wake up to say so.
  if (waiting > 0 || under_way > 0) loop_.set_timer_in(figures_alarm_, figures_every_ms);
}

}  // namespace carillon::channels::webhook
