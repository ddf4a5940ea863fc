// The log of requests: one line for each, where `log.access` is set.
//
//   2026-11-23T17:42:05.123Z info request method=GET path=/api/v1/jobs/… status=200 bytes=312 us=41 key=key_… peer=…
//   id=… trace_id=…
//
// No query string gets into it, and of a key its id alone.
//
// Threads: any.
#pragma once

#include "app/log.h"
#include "net/http/exchange.h"

namespace carillon::app {

class AccessLog final : public net::http::ExchangeLog {
 public:
  AccessLog(const Settings& settings, const hub::Clock& clock);
  /// To `fd`, for tests.
  AccessLog(LogFormat format, const hub::Clock& clock, int fd) : log_(format, LogLevel::info, clock, fd) {}

  void on_exchange(const net::http::Exchange& exchange) noexcept override;

 private:
  Log log_;
};

/// Whether requests are logged.
bool logs_access(const Settings::Log& settings);

}  // namespace carillon::app
