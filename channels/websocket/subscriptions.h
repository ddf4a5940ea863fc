// Who listens to what, on one loop: an index from a job (or from a key, for `"*"`) to the sessions that want its
// events.
//
//   index:   job A ─▶ subscription ⇄ subscription        (list of the job)
//                          ⇅               ⇅
//   session 1 ─────────────┘   session 2 ──┘             (list of the session)
//
// A subscription is one small block in two lists, so that an event finds its sessions, and a session that goes its
// subscriptions, without a search.
//
// Threads: belongs to one loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "hub/id.h"
#include "hub/tally.h"

namespace carillon::channels::websocket {

class Session;

struct Subscription {
  Session* session = nullptr;
  /// What the session was told of already when it subscribed: only later events are for it.
  hub::Seq after = 0;

 private:
  template <typename Topic, typename Hash>
  friend class SubscriptionIndex;

  const void* topic_ = nullptr;  ///< the map's key that the topic's list hangs on
  Subscription* topic_previous_ = nullptr;
  Subscription* topic_next_ = nullptr;
  Subscription* session_previous_ = nullptr;
  Subscription* session_next_ = nullptr;
};

/// A session's own end of its subscriptions: kept in the session, changed only by the index.
struct SubscriptionList {
  Subscription* first = nullptr;
  std::uint32_t count = 0;
  /// Counts those of all connections of the key, on whatever loop; null where they have no limit together.
  std::atomic<std::size_t>* of_key = nullptr;
};

template <typename Topic, typename Hash>
class SubscriptionIndex {
 public:
  SubscriptionIndex() = default;
  SubscriptionIndex(const SubscriptionIndex&) = delete;
  SubscriptionIndex& operator=(const SubscriptionIndex&) = delete;

  /// The session's subscription to the topic; null without one. Costs the shorter of the two lists.
  Subscription* find(const SubscriptionList& list, const Session& session, const Topic& topic) const {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return nullptr;
    Subscription* by_topic = found->second;
    Subscription* by_session = list.first;
    while (by_topic != nullptr && by_session != nullptr) {
      if (by_topic->session == &session) return by_topic;
      if (by_session->topic_ == &found->first) return by_session;
      by_topic = by_topic->topic_next_;
      by_session = by_session->session_next_;
    }
    return nullptr;
  }

  /// The session must not be subscribed to the topic yet.
  Subscription& add(SubscriptionList& list, Session& session, const Topic& topic, hub::Seq after) {
    auto [entry, fresh] = topics_.try_emplace(topic, nullptr);
    auto* subscription = new Subscription;  // owned by both lists; remove() frees it
    subscription->session = &session;
    subscription->after = after;
    subscription->topic_ = &entry->first;
    subscription->topic_next_ = entry->second;
    if (entry->second != nullptr) entry->second->topic_previous_ = subscription;
    entry->second = subscription;
    subscription->session_next_ = list.first;
    if (list.first != nullptr) list.first->session_previous_ = subscription;
    list.first = subscription;
    ++list.count;
    if (list.of_key != nullptr) list.of_key->fetch_add(1, std::memory_order_relaxed);
    ++size_;
    return *subscription;
  }

  void remove(SubscriptionList& list, Subscription& subscription) {
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDelete): what was removed once is found by nobody.
    if (subscription.topic_next_ != nullptr) subscription.topic_next_->topic_previous_ = subscription.topic_previous_;
    if (subscription.topic_previous_ != nullptr) {
      subscription.topic_previous_->topic_next_ = subscription.topic_next_;
    } else {
      const auto entry = topics_.find(*static_cast<const Topic*>(subscription.topic_));
      entry->second = subscription.topic_next_;
      if (entry->second == nullptr) topics_.erase(entry);
    }
    if (subscription.session_next_ != nullptr)
      subscription.session_next_->session_previous_ = subscription.session_previous_;
    (subscription.session_previous_ != nullptr ? subscription.session_previous_->session_next_ : list.first) =
        subscription.session_next_;
    --list.count;
    if (list.of_key != nullptr) list.of_key->fetch_sub(1, std::memory_order_relaxed);
    --size_;
    delete &subscription;
  }

  void remove_all(SubscriptionList& list) {
    while (list.first != nullptr) remove(list, *list.first);
  }

  /// Calls `visit(Subscription&)` for each of the topic's. The visit may not remove subscriptions.
  template <typename Visit>
  void for_each(const Topic& topic, Visit&& visit) const {
    const auto found = topics_.find(topic);
    if (found == topics_.end()) return;
    for (Subscription* subscription = found->second; subscription != nullptr;
         subscription = subscription->topic_next_) {
      visit(*subscription);
    }
  }

  /// Calls `visit(const Topic&)` for what the session is subscribed to, the last first.
  template <typename Visit>
  void for_each_topic(const SubscriptionList& list, Visit&& visit) const {
    for (const Subscription* subscription = list.first; subscription != nullptr;
         subscription = subscription->session_next_) {
      visit(*static_cast<const Topic*>(subscription->topic_));
    }
  }

  /// May be asked from any thread.
  std::size_t size() const { return size_.read(); }
  bool empty() const { return size() == 0; }

 private:
  std::unordered_map<Topic, Subscription*, Hash> topics_;
  hub::Tally size_;
};

using JobSubscriptions = SubscriptionIndex<hub::JobId, hub::JobIdHash>;
using OwnerSubscriptions = SubscriptionIndex<hub::KeyId, std::hash<hub::KeyId>>;

}  // namespace carillon::channels::websocket
