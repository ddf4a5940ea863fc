#include "channels/notification_log.h"

#include <algorithm>

namespace carillon::channels {

NotificationLog::NotificationLog(const NotificationMemory& memory, hub::Seq passed, hub::UnixMs now)
    : drops_max_(std::max<std::size_t>(memory.drops, 1)),
      since_(now),
      passed_(passed),
      sent_(memory.events, passed),
      last_polls_(memory.polled_jobs, now),
      drops_after_(passed) {
  drops_.reserve(drops_max_);
}

void NotificationLog::on_commit(const hub::CommitBatch& batch) {
  passed_ = batch.last;
  sent_.open(batch.last);
}

void NotificationLog::keep(const KeptDrop& drop) noexcept {
  if (drops_.size() < drops_max_) return drops_.push_back(drop);
  KeptDrop& oldest = drops_[oldest_drop_];
  drops_after_ = oldest.seq;
  oldest = drop;
  oldest_drop_ = (oldest_drop_ + 1) % drops_max_;
}

NotificationLog::Recollection NotificationLog::recall(const Question& question) const {
  Recollection memory;
  for (const hub::Seq seq : question.events) memory.sent.push_back(sent_.find(seq));
  memory.last_poll = last_polls_.find(question.job);
  memory.since = since_;
  memory.events_after = sent_.forgotten();
  memory.drops_after = drops_after_;
  memory.polls_after = last_polls_.forgotten(question.job);
  if (question.events.empty()) return memory;
  // From the last one back: what happened before these events need not be looked through.
  std::uint64_t last_number = 0;
  std::size_t at = oldest_drop_;
  for (std::size_t i = 0; i < drops_.size(); ++i) {
    at = at == 0 ? drops_.size() - 1 : at - 1;
    const KeptDrop& kept = drops_[at];
    if (kept.seq < question.events.front()) break;
    const bool listened = kept.sight ? kept.sight->takes_in(question.owner) : kept.job == question.job;
    if (!listened || kept.seq >= question.until || kept.number == last_number) continue;
    last_number = kept.number;
    memory.drops.push_back({kept.seq, kept.drop});
  }
  std::reverse(memory.drops.begin(), memory.drops.end());
  return memory;
}

void NotificationLog::Recollection::add(const Recollection& other) {
  for (std::size_t i = 0; i < sent.size(); ++i) {
    // Of what one of them does not know the sum is not known.
    const bool known = sent[i] && other.sent[i];
    known ? void(*sent[i] += *other.sent[i]) : sent[i].reset();
  }
  drops.insert(drops.end(), other.drops.begin(), other.drops.end());
  std::stable_sort(drops.begin(), drops.end(), [](const DropAfter& a, const DropAfter& b) { return a.seq < b.seq; });
  if (other.last_poll && (!last_poll || last_poll->at < other.last_poll->at)) last_poll = other.last_poll;
  since = std::max(since, other.since);
  events_after = std::max(events_after, other.events_after);
  drops_after = std::max(drops_after, other.drops_after);
  polls_after = std::max(polls_after, other.polls_after);
}

}  // namespace carillon::channels
