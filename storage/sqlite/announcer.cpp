#include "storage/sqlite/announcer.h"

#include <algorithm>
#include <utility>

namespace carillon::storage::sqlite {
hub::Store::Beginning Announcer::add(hub::CommitListener& listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back({&listener, {}});
  return last_;
}

void Announcer::remove(hub::CommitListener& listener) {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const Entry& entry) { return entry.listener == &listener; });
}

void Announcer::announce(const hub::CommitBatchPtr& batch, std::span<std::unique_ptr<hub::Reply>> changes) {
  const std::lock_guard lock(mutex_);
  for (auto& change : changes) {
    const auto home = std::find_if(listeners_.begin(), listeners_.end(),
                                   [&](const Entry& entry) { return entry.listener == &as_change(change).home(); });
    if (home != listeners_.end()) home->replies.push_back(std::move(change));
  }
  const bool news = batch && batch->has_news();
  if (news) last_ = {batch->number, batch->last};
  for (Entry& entry : listeners_) {
    if (!news && entry.replies.empty()) continue;
    entry.listener->on_commit(news ? batch : nullptr, std::exchange(entry.replies, {}));
  }
}

}  // namespace carillon::storage::sqlite
