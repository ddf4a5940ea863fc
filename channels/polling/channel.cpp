#include "channels/polling/channel.h"

#include <string>

namespace carillon::channels::polling {
namespace {

constexpr int full_retry_after_s = 5;
constexpr int draining_retry_after_s = 5;

}  // namespace

PollingChannel::PollingChannel(net::EventLoop& loop, const hub::Store& store, hub::Reader& reader,
                               hub::Authenticator& authenticator, const hub::Ownership& ownership,
                               const hub::Clock& clock, NotificationLog& log, WaitingRoom& room,
                               const PollingOptions& options)
    : options_(options),
      reader_(reader),
      ownership_(ownership),
      log_(log),
      job_cache_(reader, store),
      guests_(loop, clock, authenticator, room),
      job_polls_(reader, log),
      feed_polls_(options_.feed, reader.last_seq(), log),
      streams_(reader, options_.streams, log) {}

void PollingChannel::set_options(const PollingOptions& options) {
  options_ = options;
  streams_.set_options(options.streams);
}

void PollingChannel::on_commit(const hub::CommitBatch& batch) {
  job_cache_.on_commit(batch);
  job_polls_.on_commit(batch);
  feed_polls_.on_commit(batch);
  streams_.on_commit(batch);
}

bool PollingChannel::admit(const hub::Principal& who, const net::http::Responder& responder) {
  // Answered at once with what there is, a client that waits for a change would ask again without end.
  if (guests_.draining()) {
    responder.send({503, "going_away", "The hub is shutting down.", {}, draining_retry_after_s});
    return false;
  }
  switch (guests_.room().enter(who.key)) {
    case WaitingRoom::Entry::admitted:
      return true;
    case WaitingRoom::Entry::room_is_full:
      responder.send({503, "too_many_waiting", "As many wait as the hub lets wait.", {}, full_retry_after_s});
      return false;
    case WaitingRoom::Entry::key_is_full:
      responder.send({429,
                      "too_many_waiting",
                      "Too many wait with this key: at most " + std::to_string(guests_.room().per_key()) + ".",
                      {},
                      full_retry_after_s});
      return false;
  }
  return false;
}

}  // namespace carillon::channels::polling
