// The log of requests: one line for each, where `log.access` is set.
//
//   2026-11-23T17:42:05.123Z info request method=GET path=/api/v1/jobs/… status=200 bytes=312 us=41 key=key_… peer=…
//   id=… trace_id=…
//
// No query string gets into it, and of a key its id alone.
//
// Threads: any.
#pragma once

#include <memory>

#include "app/log.h"
#include "net/http/exchange.h"

namespace carillon::app {

class AccessLog final : public net::http::ExchangeLog {
 public:
  AccessLog(const Settings& settings, const hub::Clock& clock) : log_(settings, clock) {}
  /// To `fd`, for tests.
  AccessLog(LogFormat format, const hub::Clock& clock, int fd) : log_(format, LogLevel::info, clock, fd) {}

  void on_exchange(const net::http::Exchange& exchange) noexcept override;

 private:
  Log log_;
};

/// None where requests are not logged: whoever asks then asks no more than that.
std::unique_ptr<AccessLog> make_access_log(const Settings& settings, const hub::Clock& clock);

}  // namespace carillon::app
