// The WebSocket channel on one loop: lets clients in, and passes each committed event to those who subscribed to it.
// At most once, now: what a client that is gone has missed, it misses.
//
// Why there is no gap and no repeat around a subscription: see subscriber.h.
//
// Threads: belongs to its loop; what it counts may be read from any.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "channels/notification_log.h"
#include "channels/websocket/admission.h"
#include "channels/websocket/counters.h"
#include "channels/websocket/drain_pace.h"
#include "channels/websocket/frame_deflater.h"
#include "channels/websocket/handshake.h"
#include "channels/websocket/held_answers.h"
#include "channels/websocket/message_reader.h"
#include "channels/websocket/session.h"
#include "channels/websocket/subscriptions.h"
#include "hub/authenticator.h"
#include "hub/clock.h"
#include "hub/ownership.h"
#include "hub/store.h"
#include "net/event_loop.h"
#include "net/http/origin.h"
#include "net/http/router.h"

namespace carillon::channels::websocket {

struct WebSocketOptions {
  net::MonotonicMs heartbeat_ms = 30'000;
  net::MonotonicMs slow_client_ms = 5'000;  ///< how old the oldest unsent byte may be
  std::size_t queue_bytes_max = 16 * 1024 * 1024;
  std::size_t message_bytes_max = 64 * 1024;  ///< from a client
  std::size_t subscriptions_max = 10'000;     ///< of one connection
  std::size_t job_ids_max = 1'000;            ///< in one message
  std::size_t replay_events_max = 1'000;      ///< told anew to one subscription
  std::uint32_t messages_per_second_max = 0;  ///< from one client, pings included; 0: as they come
  std::vector<std::string> origins;           ///< of pages that may connect; empty: any
  net::MonotonicMs close_timeout_ms = 2'000;  ///< for the client's answer to a close frame
  DeflateOptions deflate{};
};

class WebSocketChannel final : private net::Timer, private net::TurnEnd {
 public:
  WebSocketChannel(net::EventLoop& loop, hub::Reader& reader, hub::Authenticator& authenticator,
                   const hub::Ownership& ownership, const hub::Clock& clock, NotificationLog& log, Admission& admission,
                   std::string epoch, const WebSocketOptions& options);
  ~WebSocketChannel() override;

  /// Other options from now on, but for those of deflate, for all that are connected too.
  void set_options(const WebSocketOptions& options);

  /// Answers a request for the WebSocket resource: upgrades it, or says why not. A refused key is told after the
  /// handshake, by close code 4001; at once, or where its address was refused again and again, after a while.
  void accept(const net::http::Request& request, const net::http::Responder& responder);

  void on_commit(const hub::CommitBatch& batch);

  /// Some key or account is not what it was: closes the sessions that would not be let in any more. To be called after
  /// Authenticator::forget().
  void recheck_keys();

  /// Lets nobody in any more, and tells every client 1001: evenly over the window, or all now where it is 0. Those who
  /// are not told yet hear of events as before.
  void drain(net::MonotonicMs window_ms);
  bool draining() const { return draining_; }

  std::size_t sessions() const { return session_count_.read(); }
  std::size_t subscriptions() const { return job_index_.size() + all_index_.size(); }
  const Counters& counters() const { return counters_; }

 private:
  friend class Session;
  friend class Subscriber;

  void on_timer() override;
  void refuse_key(const Handshake& handshake, const net::http::Request& request, const net::http::Responder& responder,
                  hub::AuthRefusal refusal);
  std::unique_ptr<net::Protocol> let_in(net::Connection& connection, const hub::Principal& principal,
                                        const Handshake& handshake);
  std::unique_ptr<net::Protocol> turn_away(net::Connection& connection, CloseCode code, std::string_view reason);
  std::int64_t now_s() const { return clock_.now_ms() / 1000; }
  void pass_on(const hub::Event& event);
  /// The event's frame as this session takes it, made by whoever needs it first on any loop.
  const net::SharedBytes& frame_of(const hub::Event& event, const Session& session);

  /// The session has heard of the job up to `seq` ahead of the batches, and no subscription of the job's says so.
  void note_told_ahead(const Session& session, const hub::JobId& job, hub::Seq seq);
  hub::Seq told_ahead(const Session& session, const hub::JobId& job) const;
  void forget_told_ahead(const Session& session) noexcept;

  /// False when the subscriptions have read as much in this turn as they may; they count it themselves.
  bool may_read();
  void note_read(std::size_t rows) { rows_read_ += rows; }
  /// When this turn's frames are written, notes how old their commits are.
  void on_turn_end() override;
  /// The heartbeat's frame is the same for all within a second.
  const net::SharedBytes& heartbeat();

  template <typename Visit>
  void for_each_session(Visit&& visit) {
    for (Session* session = first_; session != nullptr;) {
      Session* const next = session->next_;
      visit(*session);
      session = next;
    }
  }

  net::EventLoop& loop_;
  hub::Reader& reader_;
  hub::Authenticator& authenticator_;
  const hub::Ownership& ownership_;
  const hub::Clock& clock_;
  NotificationLog& log_;
  Admission& admission_;
  std::string epoch_;
  WebSocketOptions options_;
  net::http::OriginList origins_;
  HeldAnswers held_;
  JobSubscriptions job_index_;
  OwnerSubscriptions all_index_;
  hub::Seq passed_;  ///< the last event of the last batch that was passed on
  struct ToldAhead {
    const Session* session;
    hub::Seq seq;
  };
  std::unordered_multimap<hub::JobId, ToldAhead, hub::JobIdHash> told_ahead_;  ///< empty but for moments
  net::MonotonicMs rows_read_at_ms_ = 0;
  std::size_t rows_read_ = 0;
  Session* first_ = nullptr;
  hub::Tally session_count_;
  std::vector<Session*> too_slow_;
  ReadingDesk reading_desk_;
  FrameDeflater frame_deflater_;
  net::SharedBytes heartbeat_;
  std::int64_t heartbeat_s_ = 0;
  std::uint64_t random_;
  bool draining_ = false;
  DrainPace goodbyes_;
  std::size_t goodbyes_said_ = 0;
  Session* goodbye_next_ = nullptr;  ///< in the list of sessions, to which nobody is added behind it

  /// A commit whose frames leave in this turn.
  struct Fresh {
    std::chrono::steady_clock::time_point durable_at;
    std::uint64_t frames;
  };
  std::vector<Fresh> fresh_;
  bool turn_is_ending_ = false;
  Counters counters_;
};

}  // namespace carillon::channels::websocket
