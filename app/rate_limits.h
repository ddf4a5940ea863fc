// How often a key may call, by class of call, and an address whatever it calls, as the whole hub counts: all its loops
// ask the same RateLimits.
//
// What has no limit costs one comparison; what has one, a look into a table behind a small lock (20 ns).
//
// Threads: any.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "app/settings.h"
#include "hub/id.h"
#include "net/http/message.h"
#include "net/network.h"
#include "net/rate_table.h"

namespace carillon::app {

/// Calls that cost alike and are counted together.
enum class CallClass : std::uint8_t {
  write,  ///< submit, report, erase, change a webhook
  poll,   ///< one job as it stands: cheap, and asked for often
  list,   ///< everything else that is read: pages, feeds
  admin
};

/// The class of a route.
CallClass class_of(net::http::Method method, std::string_view pattern);
/// As settings and headers have it: "writes", "polls", "lists", "admin".
std::string_view to_text(CallClass call);

class RateLimits {
 public:
  explicit RateLimits(const Settings::Limits& limits);

  bool limits(CallClass call) const { return rate(call).per_second > 0; }

  /// Counts a call of a class that has a limit.
  net::TokenBucket::Outcome take(hub::KeyId key, CallClass call, net::MonotonicMs now_ms);

  bool limits_addresses() const { return address_rate_.per_second > 0; }
  std::uint32_t per_second_of_address() const { return address_rate_.per_second; }
  /// Counts a call from there, where addresses have a limit.
  net::TokenBucket::Outcome take(net::Network from, net::MonotonicMs now_ms);

  /// `RateLimit` and `RateLimit-Policy` as header lines (draft-ietf-httpapi-ratelimit-headers-10): what is left, in how
  /// many seconds all is there again; and how many in how many seconds there are.
  std::string fields(CallClass call, const net::TokenBucket::Outcome& outcome) const;
  std::string address_fields(const net::TokenBucket::Outcome& outcome) const;

  std::uint32_t per_second(CallClass call) const { return rate(call).per_second; }

 private:
  static constexpr std::size_t classes = 4;

  const net::TokenBucket::Rate& rate(CallClass call) const { return rates_[static_cast<std::size_t>(call)]; }

  std::string fields(std::string_view name, const net::TokenBucket::Rate& rate,
                     const net::TokenBucket::Outcome& outcome) const;

  std::array<net::TokenBucket::Rate, classes> rates_;
  net::TokenBucket::Rate address_rate_;
  std::int64_t window_s_;
  net::RateTable table_;
  net::RateTable addresses_;
};

}  // namespace carillon::app
