#include "channels/webhook/endpoint_queue.h"

#include <algorithm>
#include <utility>

namespace carillon::channels::webhook {

void EndpointQueue::take_in(Waiting waiting) {
  held_.insert(waiting.delivery.id);
  budget_.take(WindowBudget::bytes_of(waiting.delivery));
  ready_.push_back(std::move(waiting));
}

void EndpointQueue::offer(const hub::DeliveryNotice& notice, std::chrono::steady_clock::time_point durable_at,
                          hub::UnixMs now) {
  if (held_.contains(notice.delivery)) return;     // it was found on disk before the news of it came
  if (ordered && !notice.event) put_back_ready();  // it may come before these
  // Behind what waits on disk for a later time only where that may be overtaken: never before the endpoint is known.
  const bool its_turn = disk_due_at_ == never || (target && !ordered && disk_due_at_ > now);
  const bool at_once =
      notice.event && notice.due_at <= now && its_turn && ready_.size() < ready_max_ && budget_.has_room();
  if (!at_once) return note_on_disk(notice.due_at);
  take_in({{notice.delivery, id_, notice.message, 0, notice.due_at, notice.event}, durable_at});
}

void EndpointQueue::refill(hub::Reader& reader, hub::UnixMs now) {
  // What is held is still due as the table has it, and comes first.
  const std::size_t limit = held_.size() + ready_max_;
  const auto due = reader.due(id_, now, limit);
  bool all = due.size() < limit;
  for (const auto& [id, due_at] : due) {
    if (held_.contains(id)) continue;
    if (!ready_.empty() && !budget_.has_room()) {
      all = false;
      break;
    }
    // Between the two readings it may have been given up.
    if (auto delivery = reader.find_pending(id)) take_in({std::move(*delivery), std::nullopt});
  }
  disk_due_at_ = all ? reader.next_due(id_, now).value_or(never) : now;
}

bool EndpointQueue::forget(const hub::JobId& job) {
  const bool known = std::any_of(ready_.begin(), ready_.end(),
                                 [&](const Waiting& waiting) { return waiting.delivery.event->job == job; });
  if (known) put_back_ready();
  return known;
}

Waiting EndpointQueue::next() {
  Waiting waiting = std::move(ready_.front());
  ready_.pop_front();
  budget_.give_back(WindowBudget::bytes_of(waiting.delivery));
  return waiting;
}

void EndpointQueue::put_back_ready() {
  for (const Waiting& waiting : ready_) {
    held_.erase(waiting.delivery.id);
    budget_.give_back(WindowBudget::bytes_of(waiting.delivery));
    note_on_disk(waiting.delivery.due_at);
  }
  ready_.clear();
}

std::optional<hub::UnixMs> EndpointQueue::oldest_due_at() const {
  hub::UnixMs oldest = disk_due_at_;
  if (!ready_.empty()) {
    const hub::Delivery& first = ready_.front().delivery;
    // One that is due in its turn, or ahead of all, has been since its event.
    oldest = std::min(oldest, first.due_at > 0 ? first.due_at : first.event->at);
  }
  return oldest == never ? std::nullopt : std::optional(oldest);
}

}  // namespace carillon::channels::webhook
