// The Idempotency-Key field: by what a submission is known when it is sent again.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "net/http/message.h"
#include "net/http/problem.h"

namespace carillon::app {

/// The key's characters, none where the field is not there; or 400 for a field that is no key. A key is written as a
/// string of RFC 8941 ("8e03978e-40d5", where \" and \\ stand for " and \), or without quotes, as visible characters
/// but for quotes, backslashes and commas: both are the same key. It has 1 to `bytes_max` characters.
std::variant<std::optional<std::string>, net::http::Problem> read_idempotency_key(const net::http::Request& request,
                                                                                  std::size_t bytes_max);

}  // namespace carillon::app
