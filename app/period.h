// Times as a command line takes them.
//
// Threads: pure functions; any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hub/clock.h"

namespace carillon::app {

/// "90s", "15m", "12h" or "30d" in seconds: a whole number and its unit.
std::optional<std::int64_t> parse_period_s(std::string_view text);

/// A moment: in RFC 3339, in seconds since 1970, or as a period, which is so long before `now`.
std::optional<hub::UnixMs> parse_moment(std::string_view text, hub::UnixMs now);

}  // namespace carillon::app
