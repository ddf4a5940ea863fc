#include "channels/websocket/channel.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>
#include <variant>

#include "channels/websocket/messages.h"
#include "channels/websocket/refused_session.h"
#include "net/http/problem.h"

namespace carillon::channels::websocket {
namespace {

using net::http::Problem;

/// What subscriptions may read in one turn of the loop before it serves others: some milliseconds' worth.
constexpr std::size_t rows_per_turn_max = 1'000;
constexpr std::string_view hub_is_full = "The hub has all the connections it takes";

}  // namespace

WebSocketChannel::WebSocketChannel(net::EventLoop& loop, hub::Reader& reader, hub::Authenticator& authenticator,
                                   const hub::Ownership& ownership, const hub::Clock& clock, NotificationLog& log,
                                   Admission& admission, std::string epoch, const WebSocketOptions& options)
    : loop_(loop),
      reader_(reader),
      authenticator_(authenticator),
      ownership_(ownership),
      clock_(clock),
      log_(log),
      admission_(admission),
      epoch_(std::move(epoch)),
      options_(options),
      origins_(options.origins),
      held_(loop, admission),
      passed_(reader.last_seq()),
      reading_desk_{.message_bytes_max = options.message_bytes_max},
      frame_deflater_(options.deflate),
      random_(hub::random_number()) {}

void WebSocketChannel::set_options(const WebSocketOptions& options) {
  const DeflateOptions deflate = options_.deflate;
  options_ = options;
  options_.deflate = deflate;
  origins_ = net::http::OriginList(options.origins);
  reading_desk_.message_bytes_max = options.message_bytes_max;
}

WebSocketChannel::~WebSocketChannel() { loop_.forget(*this); }

// --- who comes in ----------------------------------------------------------------------------------------------------

void WebSocketChannel::accept(const net::http::Request& request, const net::http::Responder& responder) {
  auto read = read_handshake(request, origins_);
  if (auto* refused = std::get_if<net::http::Response>(&read)) {
    counters_.count(outcome_of_status(refused->status));
    return responder.send(std::move(*refused));
  }
  auto& handshake = std::get<Handshake>(read);
  if (draining_) {
    counters_.count(HandshakeOutcome::going_away);
    const net::MonotonicMs left_ms = std::max<net::MonotonicMs>(0, goodbyes_.end_ms() - loop_.now_ms());
    const int retry_after_s = 1 + static_cast<int>(left_ms / 1000);
    return responder.send(Problem{503, "going_away", "The hub is shutting down.", {}, retry_after_s});
  }
  if (const int retry_after_s = admission_.handshake(loop_.now_ms()); retry_after_s > 0) {
    counters_.count(HandshakeOutcome::too_many_handshakes);
    return responder.send(
        Problem{503, "too_many_handshakes", "More clients connect than the hub lets in at a time.", {}, retry_after_s});
  }
  // Who is told nothing but why it may not come in needs no extension.
  auto agreed = std::exchange(handshake.deflate, std::nullopt);
  if (admission_.full()) {
    counters_.count(HandshakeOutcome::hub_is_full);
    return responder.upgrade(make_handshake_answer(handshake), [&](auto& connection) {
      return turn_away(connection, CloseCode::try_again_later, hub_is_full);
    });
  }
  const hub::AuthResult result = authenticator_.authenticate(handshake.key);
  if (const auto* refusal = std::get_if<hub::AuthRefusal>(&result)) {
    return refuse_key(handshake, request, responder, *refusal);
  }
  if (options_.deflate.enabled) handshake.deflate = agreed;
  responder.upgrade(make_handshake_answer(handshake), [&](net::Connection& connection) {
    return let_in(connection, std::get<hub::Principal>(result), handshake);
  });
}

std::unique_ptr<net::Protocol> WebSocketChannel::let_in(net::Connection& connection, const hub::Principal& principal,
                                                        const Handshake& handshake) {
  KeyShare* share = nullptr;
  switch (admission_.enter(principal.key, share)) {
    case Admission::Entry::hub_is_full:
      counters_.count(HandshakeOutcome::hub_is_full);
      return turn_away(connection, CloseCode::try_again_later, hub_is_full);
    case Admission::Entry::key_is_full:
      counters_.count(HandshakeOutcome::key_is_full);
      return turn_away(
          connection, CloseCode::policy_violation,
          "Too many connections with this key: at most " + std::to_string(admission_.connections_per_key_max()));
    case Admission::Entry::admitted:
      counters_.count(HandshakeOutcome::accepted);
      break;
  }
  return std::make_unique<Session>(*this, connection, principal, share, handshake.resume, handshake.deflate);
}

std::unique_ptr<net::Protocol> WebSocketChannel::turn_away(net::Connection& connection, CloseCode code,
                                                           std::string_view reason) {
  return std::make_unique<RefusedSession>(connection, code, reason, options_.close_timeout_ms, reading_desk_);
}

void WebSocketChannel::refuse_key(const Handshake& handshake, const net::http::Request& request,
                                  const net::http::Responder& responder, hub::AuthRefusal refusal) {
  auto answer = [this, responder, head = make_handshake_answer(handshake), refusal] {
    responder.upgrade(head, [this, refusal](net::Connection& connection) {
      counters_.count(outcome_of(refusal));
      return turn_away(connection, CloseCode::key_refused, to_text(refusal));
    });
  };
  const net::Connection* connection = request.connection.get();
  const std::string address = connection != nullptr ? connection->peer() : std::string();
  const net::MonotonicMs delay_ms = admission_.refused(address, loop_.now_ms());
  if (delay_ms == 0) return answer();
  if (held_.hold(delay_ms, std::move(answer))) return;
  counters_.count(HandshakeOutcome::too_many_refusals);
  const auto retry_after_s = net::up_to_s(delay_ms);
  responder.send(
      Problem{503, "too_many_refusals", "Keys from this address were refused too often.", {}, retry_after_s});
}

// --- what is passed on -----------------------------------------------------------------------------------------------

void WebSocketChannel::on_commit(const hub::CommitBatch& batch) {
  const auto leave_now = [this] { return counters_.deliveries.read() - counters_.deliveries_behind.read(); };
  const std::uint64_t before = leave_now();
  if (!job_index_.empty() || !all_index_.empty()) {
    for (const hub::EventPtr& event : batch.events) {
      if (!hub::is_of_job(event->kind)) continue;  // the protocol has no words for others
      const std::uint64_t delivered = counters_.deliveries.read();
      pass_on(*event);
      if (const std::uint64_t sent = counters_.deliveries.read() - delivered; sent > 0)
        log_.sent(event->seq, &Sent::websocket, sent);
    }
  }
  if (const std::uint64_t frames = leave_now() - before; frames > 0) {
    if (fresh_.empty()) loop_.at_turn_end(*this);
    fresh_.push_back({batch.durable_at, frames});
  }
  passed_ = batch.last;
  if (!told_ahead_.empty()) std::erase_if(told_ahead_, [&](const auto& entry) { return entry.second.seq <= passed_; });
  // Closing takes a session out of the lists that were walked, so it waits until they are not.
  for (Session* session : too_slow_) session->close_slow(Ending::slow_by_bytes);
  too_slow_.clear();
}

void WebSocketChannel::pass_on(const hub::Event& event) {
  // One for each form that sessions take it in: a hundred subscribers need no hundred looks at what was made once.
  std::array<const net::SharedBytes*, 4> frames{};
  const auto deliver = [&](Session& session) {
    const net::SharedBytes*& frame = frames[(session.with_seq() ? 2U : 0U) + (session.takes_deflated() ? 1U : 0U)];
    if (frame == nullptr) frame = &frame_of(event, session);
    if (!session.deliver(*frame)) too_slow_.push_back(&session);
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
  using hub::Rendition;
  const bool with_seq = session.with_seq();
  const auto& plain = event.rendition(with_seq ? Rendition::websocket_frame_with_seq : Rendition::websocket_frame,
                                      [&] { return job_update_frame(event, with_seq); });
  if (!session.takes_deflated() || !frame_deflater_.suits(plain->size())) return plain;
  return event.rendition(with_seq ? Rendition::websocket_frame_with_seq_deflated : Rendition::websocket_frame_deflated,
                         [&] {
                           auto deflated = frame_deflater_.deflate(*plain);
                           return deflated ? hub::make_text(std::move(*deflated)) : plain;
                         });
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

void WebSocketChannel::on_turn_end() {
  // Who writes in this turn has asked for its end by now: asked for again here, this comes behind them all.
  if (!std::exchange(turn_is_ending_, true)) return loop_.at_turn_end(*this);
  turn_is_ending_ = false;
  const auto now = std::chrono::steady_clock::now();
  for (const Fresh& commit : fresh_) {
    counters_.delivery_seconds.observe(std::chrono::duration<double>(now - commit.durable_at).count(), commit.frames);
  }
  fresh_.clear();
}

// --- who has to go ---------------------------------------------------------------------------------------------------

void WebSocketChannel::recheck_keys() {
  std::unordered_map<hub::KeyHash, hub::AuthResult, hub::KeyHashHash> results;
  for_each_session([&](Session& session) {
    const hub::KeyHash& secret = session.principal().secret;
    auto found = results.find(secret);
    if (found == results.end()) {
      try {
        found = results.emplace(secret, authenticator_.recheck(secret)).first;
      } catch (const hub::StoreError&) {
        // Whether the key still holds cannot be told: who comes back is asked for it again.
        return session.close(CloseCode::try_again_later, "The store cannot be read now");
      }
    }
    if (const auto* refusal = std::get_if<hub::AuthRefusal>(&found->second)) {
      session.close(CloseCode::key_refused, to_text(*refusal));
    } else {
      session.hold_until(std::get<hub::Principal>(found->second).valid_until);
    }
  });
}

void WebSocketChannel::drain(net::MonotonicMs window_ms) {
  draining_ = true;
  held_.give_all();
  goodbyes_ = DrainPace(session_count_.read(), loop_.now_ms(), window_ms);
  goodbyes_said_ = 0;
  goodbye_next_ = first_;
  on_timer();
}

void WebSocketChannel::on_timer() {
  for (const std::size_t due = goodbyes_.due(loop_.now_ms()); goodbye_next_ != nullptr && goodbyes_said_ < due;) {
    Session* const session = goodbye_next_;
    goodbye_next_ = session->next_;
    ++goodbyes_said_;
    session->close(CloseCode::going_away, "Hub going away");
  }
  if (goodbye_next_ != nullptr) loop_.set_timer_in(*this, 1);
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
