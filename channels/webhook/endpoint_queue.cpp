#include "channels/webhook/endpoint_queue.h"

#include <utility>

namespace carillon::channels::webhook {

void EndpointQueue::offer(const hub::DeliveryNotice& notice, hub::UnixMs now) {
  if (held_.contains(notice.delivery)) return;  // it was found on disk before the news of it came
  const bool at_once = notice.event && notice.due_at <= now && disk_due_at_ > now && ready_.size() < ready_max_;
  if (!at_once) return note_on_disk(notice.due_at);
  held_.insert(notice.delivery);
  ready_.push_back({notice.delivery, id_, notice.message, hub::DeliveryState::pending, 0, notice.due_at, notice.event});
}

void EndpointQueue::refill(hub::Reader& reader, hub::UnixMs now) {
  // What is held is still due as the table has it, and comes first.
  const std::size_t limit = held_.size() + ready_max_;
  auto due = reader.due_deliveries(id_, now, limit);
  const bool all = due.size() < limit;
  const auto later = all ? reader.next_due(id_, now).value_or(never) : now;
  for (auto& delivery : due) {
    if (held_.insert(delivery.id).second) ready_.push_back(std::move(delivery));
  }
  disk_due_at_ = later;
}

hub::Delivery EndpointQueue::next() {
  hub::Delivery delivery = std::move(ready_.front());
  ready_.pop_front();
  return delivery;
}

void EndpointQueue::put_back_ready() {
  for (const auto& delivery : ready_) {
    held_.erase(delivery.id);
    note_on_disk(delivery.due_at);
  }
  ready_.clear();
}

}  // namespace carillon::channels::webhook
