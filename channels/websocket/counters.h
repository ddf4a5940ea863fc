// What the WebSocket channel of one loop counts, and the words it is told in.
//
// To count another outcome or ending: one more enumerator, and its words in the table below it.
//
// Threads: kept by the loop's thread, read by any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "channels/websocket/frame.h"
#include "hub/authenticator.h"
#include "hub/tally.h"

namespace carillon::channels::websocket {

/// What became of a request for the WebSocket resource.
enum class HandshakeOutcome : std::uint8_t {
  accepted,
  bad_request,       ///< 400
  upgrade_required,  ///< 426
  key_missing,       ///< from here on: upgraded, and closed with 4001
  key_invalid,
  key_disabled,
  key_expired,
  account_suspended,
  hub_is_full,          ///< upgraded, and closed with 1013
  key_is_full,          ///< upgraded, and closed with 1008
  origin_refused,       ///< 403
  too_many_handshakes,  ///< 503, as the next two
  too_many_refusals,
  going_away,
};
inline constexpr std::array<std::string_view, 14> handshake_outcomes{
    "accepted",       "bad_request",         "upgrade_required",  "key_missing", "key_invalid",
    "key_disabled",   "key_expired",         "account_suspended", "hub_is_full", "key_is_full",
    "origin_refused", "too_many_handshakes", "too_many_refusals", "going_away"};

/// For what is refused before it is upgraded.
constexpr HandshakeOutcome outcome_of_status(int status) {
  if (status == 403) return HandshakeOutcome::origin_refused;
  return status == 426 ? HandshakeOutcome::upgrade_required : HandshakeOutcome::bad_request;
}

constexpr HandshakeOutcome outcome_of(hub::AuthRefusal refusal) {
  switch (refusal) {
    case hub::AuthRefusal::missing:
      return HandshakeOutcome::key_missing;
    case hub::AuthRefusal::invalid:
      return HandshakeOutcome::key_invalid;
    case hub::AuthRefusal::disabled:
      return HandshakeOutcome::key_disabled;
    case hub::AuthRefusal::expired:
      return HandshakeOutcome::key_expired;
    case hub::AuthRefusal::suspended:
      return HandshakeOutcome::account_suspended;
  }
  return HandshakeOutcome::key_invalid;
}

/// Why a connection that was let in has ended.
enum class Ending : std::uint8_t {
  client_left,        ///< with 1000, or without a code
  client_going_away,  ///< with 1001: a page that was left
  client_left_other,  ///< with any other code: the choice is the client's, and must not make a series for each
  lost,               ///< without a close frame
  hub_going_away,
  key_refused,  ///< it was good when the connection was opened
  slow_by_age,
  slow_by_bytes,
  limit,
  protocol_error,
  unsupported_data,
  invalid_payload,
  message_too_big,
  try_again_later,
};
struct EndingWords {
  std::string_view code;
  std::string_view reason;

  /// 0 where there is not one.
  constexpr int close_code() const {
    int code_number = 0;
    for (const char digit : code) {
      if (digit < '0' || digit > '9') return 0;
      code_number = 10 * code_number + (digit - '0');
    }
    return code_number;
  }
};
inline constexpr std::array<EndingWords, 14> endings{{
    {"1000", "client_left"},
    {"1001", "client_left"},
    {"other", "client_left"},
    {"1006", "lost"},
    {"1001", "hub_going_away"},
    {"4001", "key_refused"},
    {"1008", "slow_by_age"},
    {"1008", "slow_by_bytes"},
    {"1008", "limit"},
    {"1002", "protocol_error"},
    {"1003", "unsupported_data"},
    {"1007", "invalid_payload"},
    {"1009", "message_too_big"},
    {"1013", "try_again_later"},
}};

/// For what the hub closes.
constexpr Ending ending_of(CloseCode code) {
  switch (code) {
    case CloseCode::going_away:
      return Ending::hub_going_away;
    case CloseCode::protocol_error:
      return Ending::protocol_error;
    case CloseCode::unsupported_data:
      return Ending::unsupported_data;
    case CloseCode::invalid_payload:
      return Ending::invalid_payload;
    case CloseCode::policy_violation:
      return Ending::limit;
    case CloseCode::message_too_big:
      return Ending::message_too_big;
    case CloseCode::try_again_later:
      return Ending::try_again_later;
    case CloseCode::key_refused:
      return Ending::key_refused;
    default:
      return Ending::client_left_other;
  }
}

/// For what a client closes.
constexpr Ending ending_by_client(CloseCode code) {
  if (code == CloseCode::normal) return Ending::client_left;
  return code == CloseCode::going_away ? Ending::client_going_away : Ending::client_left_other;
}

/// Neither the client nor the hub's own going away wished for it.
constexpr bool is_drop(Ending ending) { return ending >= Ending::lost && ending != Ending::hub_going_away; }

/// On cache lines of its own: no other loop writes there.
struct alignas(64) Counters {
  hub::Tally messages_received;
  hub::Tally bytes_received;
  hub::Tally frames_sent;        ///< queued for their connections, which may still be closed for being slow
  hub::Tally bytes_sent;         ///< of those frames
  hub::Tally deliveries;         ///< events handed to connections
  hub::Tally deliveries_behind;  ///< of these, to a connection that had not taken what was sent before

  /// From the moment a commit is durable until the loop has written what it brought: the way to the loop, the waiting
  /// for its turn, the rendering, and every write of that turn, so that each delivery is given the time of the turn's
  /// last. Not in it: the way through the kernel and the network; deliveries_behind, which leave when their client
  /// reads (within websocket.slow_client_ms, or never); and what the kernel took only a part of.
  hub::Distribution delivery_seconds{hub::duration_bounds_s};

  std::array<hub::Tally, handshake_outcomes.size()> handshakes;
  std::array<hub::Tally, endings.size()> ended;

  void count(HandshakeOutcome outcome) { ++handshakes[static_cast<std::size_t>(outcome)]; }
  void count(Ending ending) { ++ended[static_cast<std::size_t>(ending)]; }
};

}  // namespace carillon::channels::websocket
