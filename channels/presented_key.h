// Where an HTTP request carries its API key.
//
// Threads: pure.
#pragma once

#include <string_view>

#include "net/http/message.h"

namespace carillon::channels {

/// What stands in `X-API-Key`, else behind `Authorization: Bearer`; empty for neither. A view into the request.
std::string_view presented_key(const net::http::Request& request);

}  // namespace carillon::channels
