// What one session listens to, and how it comes to listen: without a gap, without a repeat, whatever is committed
// meanwhile.
//
// A commit shows itself twice: in the store as soon as it is durable, and on the loop a moment later, as a batch.
//
//   seq   … 39 40 41 │ 42 43 44 │ 45 …
//     passed on ─────┘          │
//     durable ──────────────────┘      what is read now is as of here
//
// - Reading and registering are one call on the loop's thread, so no batch is passed on between the two; and a batch is
//   handed over only when what it tells can be read. So whatever the state does not show yet is still to come.
// - What the state shows and is still to be passed on (42 to 44) would come again: a subscription notes up to where its
//   session has been told, and is passed over for events that are not later.
// - Where the session hears of the job already (by a subscription of its own, or by "*"), those of these events that
//   came before the state are told first: it would miss them otherwise.
// - A subscription that ends leaves its note behind until the batches have caught up, for "*" may go on with the job.
//
// With `after`, what the session says it has heard takes the place of the present state: the events behind it follow.
// It is taken at its word, also where this connection has told it more; but what "*" has told since then is not told
// again. Of a job that has a subscription of its own, "*" tells nothing that this one has told or passed over.
//
// Reading blocks the loop, a few microseconds an event while the database is in memory. So it is bounded: what one
// subscription may ask for (hub::MissedLimit), what all of them together read in one turn, and how much may wait to be
// written before more is read. What is beyond waits for a later turn, and what the client sends behind it waits too.
//
// Threads: belongs to its session's loop.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "channels/websocket/client_message.h"
#include "channels/websocket/counters.h"
#include "channels/websocket/subscriptions.h"
#include "hub/store.h"

namespace carillon::channels::websocket {

class Session;
class WebSocketChannel;
struct KeyShare;

class Subscriber {
 public:
  /// `share`: what its key may have, with other connections.
  Subscriber(WebSocketChannel& channel, Session& session, KeyShare* share);
  ~Subscriber();
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  /// Answers each of the jobs in turn; what cannot be done in this turn of the loop later, by itself.
  void subscribe(Subscribe asked);
  void unsubscribe(const Unsubscribe& asked);

  /// Some of a subscribe is still to be answered; reading is paused meanwhile.
  bool busy() const { return waiting_ != nullptr; }

  /// Its session was dropped: notes it, with what it listens to.
  void note_drop(Ending why) noexcept;

  /// Listens to nothing any more.
  void clear() noexcept;
  /// The session is gone: nothing that waits is answered.
  void on_gone() noexcept;

  /// Whether the session has a subscription for the job itself.
  bool has(const hub::JobId& job) const;

 private:
  class Waiting;

  struct Asked {
    Subscribe message;
    std::size_t next = 0;  ///< the first of its jobs that is not answered yet
  };

  /// True when all is answered.
  bool answer(Asked& asked);
  void go_on();
  bool may_go_on() const;

  void subscribe_to(const std::string& job, const std::optional<ResumePoint>& resume);
  void subscribe_to_all(const std::optional<ResumePoint>& resume);
  void replay_all(const hub::Reader::OwnerSince& since, hub::Seq after);
  void unsubscribe_from(const std::string& job);

  void tell(const hub::Event& event);
  /// It was told of the event, or of the state that the event has brought about.
  void note_told(hub::Seq seq);

  hub::MissedLimit limit() const;
  bool hears_all() const { return all_.count > 0; }
  /// False, and the client told so, when it may subscribe to no more.
  bool has_room();
  void store_failed();

  WebSocketChannel& channel_;
  Session& session_;
  SubscriptionList jobs_;
  SubscriptionList all_;
  /// By "*", the session was told of every event of its key later than `all_from_` that has been passed on, and of all
  /// up to `all_told_` ahead of that. The latter outlives the subscription.
  hub::Seq all_from_ = 0;
  hub::Seq all_told_ = 0;
  std::unique_ptr<Waiting> waiting_;
};

}  // namespace carillon::channels::websocket
