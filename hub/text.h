// Text that is made once and then only passed on.
//
// Threads: the text itself never changes, so any thread may read it and drop its reference.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace carillon::hub {

/// Shared, immutable bytes; null stands for "none".
using Text = std::shared_ptr<const std::string>;

inline Text make_text(std::string_view text) { return std::make_shared<const std::string>(text); }
inline Text make_text(std::string&& text) { return std::make_shared<const std::string>(std::move(text)); }
inline Text make_text(const char* text) { return make_text(std::string_view(text)); }

}  // namespace carillon::hub
