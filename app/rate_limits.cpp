#include "app/rate_limits.h"

namespace carillon::app {
namespace {

bool any(const Settings::Limits& limits) {
  return limits.writes_per_second + limits.polls_per_second + limits.lists_per_second + limits.admin_per_second > 0;
}

}  // namespace

CallClass class_of(net::http::Method method, std::string_view pattern) {
  if (pattern.starts_with("/admin/")) return CallClass::admin;
  if (method != net::http::Method::get) return CallClass::write;
  return pattern == "/jobs/{id}" ? CallClass::poll : CallClass::list;
}

std::string_view to_text(CallClass call) {
  switch (call) {
    case CallClass::write:
      return "writes";
    case CallClass::poll:
      return "polls";
    case CallClass::list:
      return "lists";
    case CallClass::admin:
      return "admin";
  }
  return {};
}

RateLimits::RateLimits(const Settings::Limits& limits)
    : window_s_(limits.burst_s),
      table_(any(limits) ? limits.rate_entries : 0),
      addresses_(limits.calls_per_second_per_address > 0 ? limits.rate_entries : 0) {
  const auto rate_of = [&](std::uint32_t per_second) {
    return net::TokenBucket::Rate{per_second, per_second * static_cast<std::uint32_t>(limits.burst_s)};
  };
  rates_ = {rate_of(limits.writes_per_second), rate_of(limits.polls_per_second), rate_of(limits.lists_per_second),
            rate_of(limits.admin_per_second)};
  address_rate_ = rate_of(limits.calls_per_second_per_address);
}

net::TokenBucket::Outcome RateLimits::take(hub::KeyId key, CallClass call, net::MonotonicMs now_ms) {
  // Ids are random and never 0, so that those of two classes do not meet.
  const std::uint64_t who = static_cast<std::uint64_t>(key.value) * classes + static_cast<std::uint64_t>(call);
  return table_.take(who, now_ms, rate(call));
}

net::TokenBucket::Outcome RateLimits::take(net::Network from, net::MonotonicMs now_ms) {
  return addresses_.take(from, now_ms, address_rate_);
}

std::string RateLimits::fields(CallClass call, const net::TokenBucket::Outcome& outcome) const {
  return fields(to_text(call), rate(call), outcome);
}

std::string RateLimits::address_fields(const net::TokenBucket::Outcome& outcome) const {
  return fields("address", address_rate_, outcome);
}

std::string RateLimits::fields(std::string_view name, const net::TokenBucket::Rate& rate,
                               const net::TokenBucket::Outcome& outcome) const {
  std::string lines = "RateLimit-Policy: \"";
  lines.append(name).append("\";q=").append(std::to_string(rate.burst));
  lines.append(";w=").append(std::to_string(window_s_));
  lines.append("\r\nRateLimit: \"").append(name).append("\";r=").append(std::to_string(outcome.left));
  lines.append(";t=").append(std::to_string(net::up_to_s(outcome.full_in_ms))).append("\r\n");
  return lines;
}

}  // namespace carillon::app
