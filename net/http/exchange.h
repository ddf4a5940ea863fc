// A request and what became of it, for whoever keeps a log of them.
//
// Threads: told on the loop's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace carillon::net::http {

/// Views, gone when the call returns. What cannot be known is empty: of a head that could not be read there is no
/// method.
struct Exchange {
  std::string_view method;
  std::string_view path;  ///< without the query, which may hold secrets
  int status = 0;
  std::size_t body_bytes = 0;    ///< as sent
  std::int64_t duration_us = 0;  ///< from the whole request to its answer; from the head, where no body came
  std::string_view caller;       ///< as Responder::name_caller() was told
  std::string_view peer;         ///< the other end's address; empty on a Unix socket
  std::string_view request_id;
  std::string_view trace_id;  ///< of W3C Trace Context; empty where the request is a part of none
};

class ExchangeLog {
 public:
  virtual ~ExchangeLog() = default;
  /// Called when the answer is handed to the connection.
  virtual void on_exchange(const Exchange& exchange) noexcept = 0;
};

}  // namespace carillon::net::http
