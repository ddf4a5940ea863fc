// W3C Trace Context (Recommendation of 23 November 2021): which trace a request is a part of, so that it can be passed
// on. What is not sound is taken for what is not there, as the specification wants it.
//
//   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//                │  trace-id                         parent-id        flags (01: sampled)
//                version; a later one is read as far as this one goes
//   tracestate:  vendor=value,tenant@system=value
//
// Threads: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/http/message.h"

namespace carillon::net::http {

class TraceContext {
 public:
  /// Of what tracestate says so much is passed on: whole members, those of more than 128 characters the first to go.
  static constexpr std::size_t state_bytes_max = 512;

  /// None where there is no traceparent, more than one, or none that is sound.
  static std::optional<TraceContext> read(std::span<const Field> fields);

  /// As it is kept: the trace's id, its flags, and its state behind them. None for what is no such text.
  std::string text() const { return id + flags() + state; }
  static std::optional<TraceContext> from_text(std::string_view text);

  /// The traceparent of a request that is made on its behalf.
  std::string traceparent(std::uint64_t parent_id) const;

  std::string id;  ///< 32 hexadecimal digits
  bool sampled = false;
  std::string state;  ///< empty without

 private:
  std::string flags() const { return sampled ? "-01" : "-00"; }
};

/// The trace-id alone, for a log; empty where read() says none.
std::string_view trace_id_of(std::span<const Field> fields);

}  // namespace carillon::net::http
