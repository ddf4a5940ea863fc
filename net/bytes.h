// Bytes that are made once and sent to many.
#pragma once

#include <memory>
#include <string>

namespace carillon::net {

/// Shared and immutable: a frame or a body that any number of connections hold until it is written.
using SharedBytes = std::shared_ptr<const std::string>;

}  // namespace carillon::net
