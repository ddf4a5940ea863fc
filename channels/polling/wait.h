// How long whoever asks is willing to wait for the answer: `?wait=N`, or `Prefer: wait=N` (RFC 7240, section 4.3), in
// whole seconds.
//
// Threads: pure functions.
#pragma once

#include <cstdint>

#include "channels/query_reader.h"
#include "net/http/message.h"

namespace carillon::channels::polling {

struct Wait {
  std::int64_t seconds = 0;  ///< 0: not at all
  bool preferred = false;    ///< by a Prefer that is heeded, and said so (Preference-Applied)
};

/// The query goes before the preference. What the query says must be right, and within `seconds_max`; a preference that
/// cannot be read is none, and one for longer is for the longest there is.
Wait take_wait(QueryReader& query, const net::http::Request& request, std::int64_t seconds_max);

}  // namespace carillon::channels::polling
