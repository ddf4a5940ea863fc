#include "channels/websocket/session.h"

#include <algorithm>
#include <utility>

#include "channels/websocket/channel.h"
#include "channels/websocket/client_message.h"
#include "channels/websocket/messages.h"

namespace carillon::channels::websocket {

Session::Session(WebSocketChannel& channel, net::Connection& connection, const hub::Principal& principal,
                 KeyShare* share, bool with_seq, const std::optional<DeflateAgreement>& deflate)
    : channel_(channel),
      connection_(connection),
      principal_(principal),
      subscriber_(channel, *this, share),
      heartbeat_at_ms_(0),
      reader_(deflate ? Deflate::yes : Deflate::no),
      with_seq_(with_seq),
      takes_deflated_(deflate && deflate->window_bits() == window_bits_max) {
  next_ = channel_.first_;
  if (next_ != nullptr) next_->previous_ = this;
  channel_.first_ = this;
  ++channel_.session_count_;
  // The first beat comes somewhere in the second half of the interval, so that clients who came together do not beat
  // together from then on.
  channel_.random_ = channel_.random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  const net::MonotonicMs interval = channel_.options_.heartbeat_ms;
  heartbeat_at_ms_ =
      channel_.loop_.now_ms() + interval -
      static_cast<net::MonotonicMs>((channel_.random_ >> 33U) % static_cast<std::uint64_t>(interval / 2 + 1));
  send(with_seq ? connected_frame(channel_.now_s(), channel_.epoch_) : connected_frame(channel_.now_s()));
  set_deadline();
}

Session::~Session() { on_gone(); }

void Session::on_gone() noexcept {
  if (!std::exchange(closing_, true)) count_end(Ending::lost);
  subscriber_.on_gone();
  if (previous_ == nullptr && channel_.first_ != this) return;  // was taken out before
  if (channel_.goodbye_next_ == this) channel_.goodbye_next_ = next_;
  (previous_ != nullptr ? previous_->next_ : channel_.first_) = next_;
  if (next_ != nullptr) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
  --channel_.session_count_;
  channel_.admission_.leave(principal_.key);
}

// --- what comes in ---------------------------------------------------------------------------------------------------

std::size_t Session::on_bytes(std::string_view bytes) {
  std::string_view rest = bytes;
  while (!connection_.ending() && !subscriber_.busy()) {
    const Incoming incoming = reader_.next(rest, channel_.reading_desk_);
    if (incoming.kind == Incoming::Kind::nothing) break;
    on_incoming(incoming);
  }
  const std::size_t consumed = bytes.size() - rest.size();
  channel_.counters_.bytes_received += consumed;
  return consumed;  // what is left waits until the subscriber has done what was asked before
}

void Session::on_incoming(const Incoming& incoming) {
  switch (incoming.kind) {
    case Incoming::Kind::text:
      return on_message(incoming.payload);
    case Incoming::Kind::ping:
      if (within_rate()) send(make_frame(Opcode::pong, incoming.payload));
      return;
    case Incoming::Kind::close:  // the client's, to be answered, or its answer to ours
      close(incoming.code, {}, ending_by_client(incoming.code));
      return connection_.end();
    case Incoming::Kind::failure:
      close(incoming.code, incoming.payload);
      return connection_.end(channel_.options_.close_timeout_ms);
    case Incoming::Kind::nothing:
    case Incoming::Kind::binary:  // the reader lets none through
    case Incoming::Kind::pong:    // one that nobody asked for is a heartbeat of the client's (RFC 6455, section 5.5.3)
      return;
  }
}

void Session::on_message(std::string_view text) {
  ++channel_.counters_.messages_received;
  if (!within_rate()) return;
  ClientMessage message = read_client_message(text, channel_.options_.job_ids_max);
  if (std::holds_alternative<Ping>(message)) return send(pong_frame(channel_.now_s()));
  if (auto* asked = std::get_if<Subscribe>(&message)) return subscriber_.subscribe(std::move(*asked));
  if (const auto* asked = std::get_if<Unsubscribe>(&message)) return subscriber_.unsubscribe(*asked);
  send_error(std::get<BadMessage>(message).why);
}

void Session::on_end_of_input() { connection_.end(); }

// --- what goes out ---------------------------------------------------------------------------------------------------

void Session::send(std::string frame) {
  if (!open()) return;
  if (takes_deflated_ && channel_.frame_deflater_.suits(frame.size())) {
    if (auto deflated = channel_.frame_deflater_.deflate(frame)) frame = std::move(*deflated);
  }
  send(std::make_shared<const std::string>(std::move(frame)));
}

void Session::send(const net::SharedBytes& frame) {
  if (!open()) return;
  if (has_room(frame->size())) return put(frame);
  overflowed_ = true;
  set_deadline();
}

void Session::send_error(std::string_view message) { send(error_frame(message, channel_.now_s())); }

bool Session::deliver(const net::SharedBytes& frame) {
  if (!open()) return true;
  if (connection_.blocked()) {
    if (!has_room(frame->size())) return false;
    ++channel_.counters_.deliveries_behind;
  }
  // Otherwise nothing waits for the client yet: what a turn brings is offered to the kernel at its end, and what is
  // then refused is weighed by on_blocked().
  ++channel_.counters_.deliveries;
  put(frame);
  return true;
}

void Session::put(const net::SharedBytes& frame) {
  ++channel_.counters_.frames_sent;
  channel_.counters_.bytes_sent += frame->size();
  // The kernel may be full with what is no longer here (the rest of a TLS record): then this is the first to wait.
  const bool begins_to_wait = connection_.blocked() && connection_.unsent_bytes() == 0;
  connection_.write(frame);
  if (begins_to_wait) set_deadline();
}

void Session::close(CloseCode code, std::string_view reason, Ending ending) {
  if (closing_) return;
  if (code == CloseCode::key_refused) connection_.discard_unsent();
  put(std::make_shared<const std::string>(make_close_frame(code, reason)));
  closing_ = true;
  count_end(ending);
  reader_.pass_over_messages();
  subscriber_.clear();
  connection_.set_timer_in(channel_.options_.close_timeout_ms);
}

void Session::count_end(Ending why) noexcept {
  channel_.counters_.count(why);
  if (is_drop(why)) subscriber_.note_drop(why);
}

void Session::close_slow(Ending why) {
  if (closing_) return;
  connection_.discard_unsent();
  close(CloseCode::policy_violation, "Too slow", why);
  connection_.end(channel_.options_.close_timeout_ms);
}

bool Session::has_room(std::size_t bytes) const {
  // What was not offered to the kernel yet may be passed by the last frame, for it may be larger than all the room.
  const std::size_t more = connection_.blocked() ? bytes : 0;
  return connection_.unsent_cost_bytes() + more <= channel_.options_.queue_bytes_max;
}

std::optional<Ending> Session::slowness() const {
  if (overflowed_) return Ending::slow_by_bytes;
  if (!connection_.blocked()) return std::nullopt;
  if (channel_.loop_.now_ms() - connection_.unsent_since_ms() >= channel_.options_.slow_client_ms)
    return Ending::slow_by_age;
  if (!has_room(0)) return Ending::slow_by_bytes;
  return std::nullopt;
}

// --- time ------------------------------------------------------------------------------------------------------------

bool Session::within_rate() {
  const std::uint32_t per_second_max = channel_.options_.messages_per_second_max;
  if (per_second_max == 0 || messages_.take(channel_.loop_.now_ms(), per_second_max)) return true;
  close(CloseCode::policy_violation, "Too many messages");
  return false;
}

void Session::hold_until(hub::UnixMs valid_until) {
  if (closing_ || valid_until == principal_.valid_until) return;
  principal_.valid_until = valid_until;
  set_deadline();
}

void Session::close_expired() {
  hub::AuthRefusal why = hub::AuthRefusal::expired;
  try {
    const hub::AuthResult found = channel_.authenticator_.recheck(principal_.secret);
    if (const auto* refusal = std::get_if<hub::AuthRefusal>(&found)) why = *refusal;
  } catch (const hub::StoreError&) {
    // That it holds no longer is known without the store.
  }
  close(CloseCode::key_refused, to_text(why));
}

void Session::set_deadline() {
  net::MonotonicMs at = heartbeat_at_ms_;
  if (principal_.valid_until != hub::Principal{}.valid_until) {
    at = std::min(
        at, channel_.loop_.now_ms() + std::max<hub::UnixMs>(0, principal_.valid_until - channel_.clock_.now_ms()));
  }
  if (slowness()) {
    at = channel_.loop_.now_ms();  // not at once: it may be the connection's own writing that has found it out
  } else if (connection_.blocked()) {
    at = std::min(at, connection_.unsent_since_ms() + channel_.options_.slow_client_ms);
  }
  connection_.set_timer_at(at);
}

void Session::on_blocked() {
  if (!closing_) set_deadline();
}

void Session::on_time() {
  if (closing_) return connection_.end();
  const net::MonotonicMs now = channel_.loop_.now_ms();
  if (const auto why = slowness()) return close_slow(*why);
  if (principal_.valid_until != hub::Principal{}.valid_until && channel_.clock_.now_ms() >= principal_.valid_until) {
    return close_expired();
  }
  if (now >= heartbeat_at_ms_) {
    // From when it was due and not from now: were the loop held up, all that waited would beat together ever after.
    const net::MonotonicMs interval = channel_.options_.heartbeat_ms;
    heartbeat_at_ms_ += interval * (1 + (now - heartbeat_at_ms_) / interval);
    put(channel_.heartbeat());
  }
  set_deadline();
}

}  // namespace carillon::channels::websocket
