// One event loop with all that serves on it: its connections, the resources, the WebSocket channel, and its ear at the
// store. A hub has one a core; what they share is the store and what is counted for the whole hub: Admission,
// WaitingRoom, RateLimits, SubmissionsUnderWay.
//
// Threads: adopt(), adjust(), begin(), drain() and on_commit() from any thread; everything inside runs on the loop's
// own.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <thread>

#include "app/health.h"
#include "app/metrics.h"
#include "app/notifications_resource.h"
#include "app/rate_limits.h"
#include "app/road_log.h"
#include "app/settings.h"
#include "app/submissions_under_way.h"
#include "channels/polling/waiting_room.h"
#include "channels/websocket/admission.h"
#include "hub/clock.h"
#include "hub/commit_inbox.h"
#include "hub/ownership.h"
#include "hub/store.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/http/exchange.h"
#include "net/http/router.h"

namespace carillon::app {

/// What can change while it serves: built with one, a loop can be given another. What it points to outlives the loop.
struct Adjustment {
  Settings settings;
  std::shared_ptr<RateLimits> rates;
  net::http::ExchangeLog* access_log;  ///< null where requests are not logged
  const RoadLog* road_log;             ///< null where the road is not
};

/// What all loops are built on. Everything outlives them.
struct ServingContext {
  const Adjustment& begin;
  hub::Store& store;
  const hub::Ownership& ownership;
  const hub::Clock& clock;
  channels::websocket::Admission& admission;
  SubmissionsUnderWay& submissions_under_way;
  channels::polling::WaitingRoom& waiting_room;
  LoopMemories& memories;
  std::string epoch;
  Metrics& metrics;
  const Health& health;
  net::MonotonicSource monotonic = net::steady_now_ms;
};

/// Through which door a connection came in.
enum class Entrance : std::uint8_t {
  front,   ///< the listening address: who calls is told by the key
  control  ///< the control socket: who can open it is the administrator
};

class ServingLoop final : public hub::CommitListener, private net::TurnEnd {
 public:
  explicit ServingLoop(const ServingContext& context);
  ~ServingLoop() override;

  /// From now on the loop is told of each commit. Before begin().
  void listen();
  /// Starts the thread.
  void begin();

  /// From its next turn on; of `settings` it takes what Setting::reloads names.
  void adjust(std::shared_ptr<const Adjustment> adjustment);

  /// Takes over a connection that was just accepted.
  void adopt(std::unique_ptr<net::Transport> transport, Entrance entrance);

  /// What can be asked for there; from any thread.
  const net::http::Router& routes(Entrance entrance) const;

  /// How many are connected; from any thread.
  std::size_t connections() const;

  /// Lets no WebSocket in any more and tells those it has 1001, evenly over the window; answers polls that wait and
  /// ends event streams. The future is ready when they have gone. May be asked again with a shorter window; the future
  /// before is ready then.
  std::future<void> drain(net::MonotonicMs window_ms);
  /// Ends the thread; what is connected then is cut off.
  void end();

  void on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept override;
  /// The changes of one turn go to the store together.
  bool gathers() noexcept override;

  /// For what lives on the loop beside it (a listener); not to be used once begun, but by post().
  net::EventLoop& loop();

 private:
  struct Parts;

  void take_in();
  void on_turn_end() override;

  std::unique_ptr<Parts> parts_;
  hub::Store& store_;
  bool gathering_ = false;
  std::thread thread_;

  hub::CommitInbox inbox_;
};

}  // namespace carillon::app
