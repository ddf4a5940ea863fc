// Server-Sent Events (WHATWG HTML, section 9.2): the event feed as one answer that does not end.
//
//   id: 42                                                     the event's number; Last-Event-ID goes on behind it
//   event: job.succeeded
//   data: {"seq":42,"type":"job.succeeded","timestamp":…,"data":{…}}
//
//   : heartbeat                                                a comment, when nothing has been said for a while
//
//   opened ──▶ catching up (pages read from the store) ──▶ live (batches as they are passed on) ──▶ gone
//
// A stream is told each event of its sight later than where it began once, in order. It knows up to where it has been
// told
// (`through`): reading goes on from there, and of batches only what is later is for it, so where the two meet there is
// no gap and no repeat. A client that does not take what it is sent is dropped, by the age or the bytes of what waits;
// it loses nothing, for it may come back with the last id.
//
// Threads: belongs to its loop; what it counts may be read from any.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "channels/event_payload.h"
#include "channels/notification_log.h"
#include "channels/polling/guests.h"
#include "channels/polling/sight_index.h"
#include "hub/event.h"
#include "hub/store.h"
#include "hub/tally.h"
#include "net/connection.h"

namespace carillon::channels::polling {

struct StreamOptions {
  net::MonotonicMs heartbeat_ms = 15'000;
  net::MonotonicMs slow_client_ms = 5'000;  ///< how old the oldest unsent byte may be
  std::size_t queue_bytes_max = 16 * 1024 * 1024;
  PayloadOptions payload;
};

class EventStreams {
 public:
  EventStreams(hub::Reader& reader, const StreamOptions& options, NotificationLog& log)
      : reader_(reader), options_(options), log_(log) {}
  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  /// Other options from now on, for open streams too.
  void set_options(const StreamOptions& options) { options_ = options; }

  /// The head of the answer.
  static std::string head();
  /// What follows it. `begin` is the first page, read just now: all that is later than it follows.
  std::unique_ptr<net::Protocol> open(net::Connection& connection, Guests& guests, const hub::Principal& who,
                                      const hub::Sight& sight, const hub::Reader::Feed& begin);

  void on_commit(const hub::CommitBatch& batch);

  std::size_t streams() const { return streams_.read(); }
  /// Dropped because they did not take what they were sent.
  std::size_t slow() const { return slow_.read(); }

  /// As much as one turn of catching up reads: a page of its own bounds.
  static constexpr std::size_t page_events_max = 256;
  static constexpr std::size_t page_bytes_max = 1024 * 1024;

 private:
  class Stream;

  const net::SharedBytes& frame_of(const hub::Event& event) const;

  hub::Reader& reader_;
  StreamOptions options_;
  NotificationLog& log_;
  SightIndex<Stream> live_;
  std::size_t told_ = 0;  ///< of the event that is passed on just now
  std::vector<Stream*> too_slow_;
  hub::Tally streams_;
  hub::Tally slow_;
};

/// An event as it is streamed, made once.
std::string event_frame(const hub::Event& event, const PayloadOptions& options);

}  // namespace carillon::channels::polling
