// The event feed: polling that misses nothing. GET /events?after=SEQ answers what has happened since, to the jobs that
// the caller sees and to its webhooks; at once, as soon as there is something (`wait`), or as a stream
// (text/event-stream).
//
// Threads: belongs to its loop.
#pragma once

#include <optional>

#include "channels/polling/channel.h"
#include "channels/query_reader.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::polling {

class FeedResource {
 public:
  explicit FeedResource(PollingChannel& channel) : channel_(channel) {}

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// GET /events?after=&limit=&wait=&epoch=: {"events":[…],"next_after","has_more","epoch"}, the oldest first; all that
  /// there is up to `next_after` was told. Without `after` from the beginning, after=now from the end. 410 where the
  /// feed begins later, 409 for what is of another history: a number that was not given yet, or another epoch.
  void events(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  /// Reads what comes first, or answers why it cannot be told.
  std::optional<hub::Reader::Feed> begin(QueryReader& query, const Request& request, hub::Reader::FeedPage page,
                                         bool streamed, const Responder& responder);

  void answer(const Request& request, const hub::Principal& who, const Responder& responder);
  void stream(const Request& request, const hub::Principal& who, const Responder& responder);

  PollingChannel& channel_;
};

/// Whether the Accept fields (RFC 9110, section 12.5.1) want text/event-stream more than JSON, or as much and by its
/// name.
bool prefers_event_stream(const net::http::Request& request);

}  // namespace carillon::channels::polling
