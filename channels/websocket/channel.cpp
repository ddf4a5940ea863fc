#include "channels/websocket/channel.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <variant>

#include "channels/websocket/handshake.h"
#include "channels/websocket/messages.h"
#include "channels/websocket/refused_session.h"

namespace carillon::channels::websocket {
namespace {

/// What subscriptions may read in one turn of the loop before it serves others: some milliseconds' worth.
constexpr std::size_t rows_per_turn_max = 1'000;

}  // namespace

WebSocketChannel::WebSocketChannel(net::EventLoop& loop, hub::Reader& reader, hub::Authenticator& authenticator,
                                   const hub::Ownership& ownership, const hub::Clock& clock, std::string epoch,
                                   const WebSocketOptions& options)
    : loop_(loop),
      reader_(reader),
      authenticator_(authenticator),
      ownership_(ownership),
      clock_(clock),
      epoch_(std::move(epoch)),
      options_(options),
      passed_(reader.last_seq()),
      random_(hub::random_number()) {}

WebSocketChannel::~WebSocketChannel() = default;

void WebSocketChannel::accept(const net::http::Request& request, const net::http::Responder& responder) {
  auto read = read_handshake(request);
  if (auto* refused = std::get_if<net::http::Response>(&read)) return responder.send(std::move(*refused));
  const auto& handshake = std::get<Handshake>(read);
  const hub::AuthResult result = authenticator_.authenticate(handshake.key);
  responder.upgrade(
      make_handshake_answer(handshake), [&](net::Connection& connection) -> std::unique_ptr<net::Protocol> {
        if (const auto* refusal = std::get_if<hub::AuthRefusal>(&result)) {
          return std::make_unique<RefusedSession>(connection, to_text(*refusal), options_.close_timeout_ms);
        }
        return std::make_unique<Session>(*this, connection, std::get<hub::Principal>(result), handshake.resume);
      });
}

void WebSocketChannel::on_commit(const hub::CommitBatch& batch) {
  if (!job_index_.empty() || !all_index_.empty()) {
    for (const hub::EventPtr& event : batch.events) pass_on(*event);
  }
  passed_ = batch.last;
  if (!told_ahead_.empty()) std::erase_if(told_ahead_, [&](const auto& entry) { return entry.second.seq <= passed_; });
  // Closing takes a session out of the lists that were walked, so it waits until they are not.
  for (Session* session : too_slow_) session->close_slow();
  too_slow_.clear();
}

void WebSocketChannel::pass_on(const hub::Event& event) {
  const auto deliver = [&](Session& session) {
    if (!session.deliver(frame_of(event, session))) too_slow_.push_back(&session);
  };
  job_index_.for_each(event.job, [&](const Subscription& subscription) {
    if (event.seq > subscription.after) deliver(*subscription.session);
  });
  if (all_index_.empty()) return;
  all_index_.for_each(event.owner.key, [&](const Subscription& subscription) {
    Session& session = *subscription.session;
    if (event.seq <= subscription.after) return;
    // Who also subscribed to this job was served above, by that subscription's own count.
    if (session.subscriber().has(event.job)) return;
    if (event.seq <= told_ahead(session, event.job)) return;
    deliver(session);
  });
}

const net::SharedBytes& WebSocketChannel::frame_of(const hub::Event& event, const Session& session) {
  const auto form = session.with_seq() ? hub::Rendition::websocket_frame_with_seq : hub::Rendition::websocket_frame;
  return event.rendition(form, [&] { return job_update_frame(event, session.with_seq()); });
}

void WebSocketChannel::note_told_ahead(const Session& session, const hub::JobId& job, hub::Seq seq) {
  told_ahead_.emplace(job, ToldAhead{&session, seq});
}

hub::Seq WebSocketChannel::told_ahead(const Session& session, const hub::JobId& job) const {
  hub::Seq seq = 0;
  if (told_ahead_.empty()) return seq;
  const auto [first, last] = told_ahead_.equal_range(job);
  for (auto entry = first; entry != last; ++entry) {
    if (entry->second.session == &session) seq = std::max(seq, entry->second.seq);
  }
  return seq;
}

void WebSocketChannel::forget_told_ahead(const Session& session) noexcept {
  if (!told_ahead_.empty())
    std::erase_if(told_ahead_, [&](const auto& entry) { return entry.second.session == &session; });
}

bool WebSocketChannel::may_read() {
  if (rows_read_at_ms_ != loop_.now_ms()) {
    rows_read_at_ms_ = loop_.now_ms();
    rows_read_ = 0;
  }
  return rows_read_ < rows_per_turn_max;
}

void WebSocketChannel::recheck_keys() {
  std::unordered_map<hub::KeyId, hub::AuthResult> results;
  for_each_session([&](Session& session) {
    auto found = results.find(session.principal().key);
    if (found == results.end()) {
      try {
        found = results.emplace(session.principal().key, authenticator_.recheck(session.principal().key)).first;
      } catch (const hub::StoreError&) {
        // Whether the key still holds cannot be told: who comes back is asked for it again.
        return session.close(CloseCode::try_again_later, "The store cannot be read now");
      }
    }
    if (const auto* refusal = std::get_if<hub::AuthRefusal>(&found->second)) {
      session.close(CloseCode::key_refused, to_text(*refusal));
    }
  });
}

void WebSocketChannel::close_all() {
  for_each_session([](Session& session) { session.close(CloseCode::going_away, "Hub going away"); });
}

const net::SharedBytes& WebSocketChannel::heartbeat() {
  const std::int64_t now = now_s();
  if (!heartbeat_ || now != heartbeat_s_) {
    heartbeat_s_ = now;
    heartbeat_ = std::make_shared<const std::string>(heartbeat_frame(now));
  }
  return heartbeat_;
}

}  // namespace carillon::channels::websocket
