#include "channels/websocket/refusal_pace.h"

#include <algorithm>
#include <limits>

namespace carillon::channels::websocket {
namespace {

/// Doubling more often would only overflow: every limit is reached long before.
constexpr std::uint32_t doublings_max = 30;

}  // namespace

void RefusalPace::forget_quiet(net::MonotonicMs now_ms) {
  while (!offenders_.empty() &&
         (offenders_.size() > options_.addresses_max || now_ms - offenders_.back().last_ms >= options_.forget_ms)) {
    by_network_.erase(offenders_.back().network);
    offenders_.pop_back();
  }
}

net::MonotonicMs RefusalPace::refused(const std::string& address, net::MonotonicMs now_ms,
                                      std::uint32_t refusals_free) {
  if (options_.delay_ms == 0) return 0;
  forget_quiet(now_ms);
  const net::Network network = net::network_of(address);
  const auto known = by_network_.find(network);
  if (known != by_network_.end()) {
    offenders_.splice(offenders_.begin(), offenders_, known->second);
  } else {
    offenders_.push_front({network, 0, now_ms});
    by_network_.emplace(network, offenders_.begin());
    forget_quiet(now_ms);
  }
  Offender& offender = offenders_.front();
  offender.last_ms = std::max(offender.last_ms, now_ms);
  if (offender.refusals < std::numeric_limits<std::uint32_t>::max()) ++offender.refusals;
  if (offender.refusals <= refusals_free) return 0;
  const std::uint32_t doublings = std::min(offender.refusals - refusals_free - 1, doublings_max);
  return std::min(options_.delay_max_ms, options_.delay_ms << doublings);
}

}  // namespace carillon::channels::websocket
