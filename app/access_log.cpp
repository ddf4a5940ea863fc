#include "app/access_log.h"

#include <unistd.h>

#include <new>

namespace carillon::app {
namespace {

/// What there is none of is written as such: a line has all its members, whoever reads it.
std::string_view or_dash(std::string_view text) { return text.empty() ? "-" : text; }

}  // namespace

AccessLog::AccessLog(const Settings& settings, const hub::Clock& clock)
    : AccessLog(settings.log.format, clock, STDERR_FILENO) {}

void AccessLog::on_exchange(const net::http::Exchange& exchange) noexcept {
  try {
    log_.info("request", {{"method", or_dash(exchange.method)},
                          {"path", or_dash(exchange.path)},
                          {"status", exchange.status},
                          {"bytes", exchange.body_bytes},
                          {"us", exchange.duration_us},
                          {"key", or_dash(exchange.caller)},
                          {"peer", or_dash(exchange.peer)},
                          {"id", or_dash(exchange.request_id)},
                          {"trace_id", or_dash(exchange.trace_id)}});
  } catch (const std::bad_alloc&) {  // NOLINT(bugprone-empty-catch): a line that there is no memory for is not written
  }
}

bool logs_access(const Settings::Log& settings) { return settings.access && settings.level >= LogLevel::info; }

}  // namespace carillon::app
