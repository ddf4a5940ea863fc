// Who was told of what happened to a job: for each of its events to how many connections and polls it was sent, who was
// dropped, and what became of its webhooks.
//
// What webhooks did is on disk. The rest is remembered by the loops, each for itself (channels/notification_log.h): the
// loop that was asked sends the question to each of them and answers when all have. One that does not turn is waited
// for a second: then nothing of that kind is known, and the answer says so.
//
// Threads: belongs to its loop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "channels/notification_log.h"
#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/event_loop.h"
#include "net/http/router.h"

namespace carillon::app {

/// What each loop remembers; complete before the first of them begins, and longer there than they.
struct LoopMemory {
  net::EventLoop& loop;
  const channels::NotificationLog& log;
};
using LoopMemories = std::vector<LoopMemory>;

class NotificationsResource {
 public:
  NotificationsResource(net::EventLoop& loop, hub::Reader& reader, const hub::Ownership& ownership,
                        const LoopMemories& memories);
  ~NotificationsResource();
  NotificationsResource(const NotificationsResource&) = delete;
  NotificationsResource& operator=(const NotificationsResource&) = delete;

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// GET /jobs/{id}/notifications[?limit=&cursor=]: the last of its events, in order; the cursor goes on to those
  /// before. 404 for what is not there or not the caller's alike.
  void show(const Request& request, const hub::Principal& who, const Responder& responder);

  static constexpr net::MonotonicMs patience_ms = 1'000;

 private:
  class Asking;
  struct Page;

  /// The events' deliveries are read from the last event back: an answer reads so many rows, and then is full.
  void read_webhooks(Page& page, const hub::Principal& who);
  std::string webhooks_json(hub::Seq event, const hub::Principal& who, std::size_t& rows);
  void hear(std::uint64_t asking, const channels::NotificationLog::Recollection& memory);

  net::EventLoop& loop_;
  hub::Reader& reader_;
  const hub::Ownership& ownership_;
  const LoopMemories& memories_;
  std::uint64_t asked_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Asking>> asking_;
};

}  // namespace carillon::app
