// A rendering that is made by whoever needs it first and shared by everyone after.
#pragma once

#include <mutex>

#include "hub/text.h"

namespace carillon::hub {

/// Threads: any number may ask at once; one makes the text, the others wait for it.
class MadeOnce {
 public:
  /// `make` returns a std::string or a Text; it runs at most once in the life of this object, unless it throws.
  template <typename Make>
  const Text& get(Make&& make) const {
    std::call_once(flag_, [&] {
      if constexpr (std::is_same_v<decltype(make()), Text>) {
        text_ = make();
      } else {
        text_ = make_text(make());
      }
    });
    return text_;
  }

 private:
  mutable std::once_flag flag_;
  mutable Text text_;
};

}  // namespace carillon::hub
