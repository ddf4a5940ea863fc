// Which of the frames that go out are deflated, and how. The frames are whole and plain first (messages.h), for those
// who did not negotiate; deflating comes second, once for all who did.
//
// Threads: belongs to its loop; the frames it makes are anyone's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "channels/websocket/deflate.h"

namespace carillon::channels::websocket {

struct DeflateOptions {
  bool enabled = true;
  int level = 1;
  /// Smaller frames are sent plain: there is little to win on them.
  std::size_t bytes_min = 1024;
  /// Larger frames are sent plain: deflating them would hold up all others on the loop.
  std::size_t bytes_max = 1024 * 1024;
};

class FrameDeflater {
 public:
  explicit FrameDeflater(const DeflateOptions& options) : options_(options), deflater_(options.level) {}

  /// Whether deflating a frame of that size is worth trying.
  bool suits(std::size_t frame_bytes) const {
    return frame_bytes >= options_.bytes_min && frame_bytes <= options_.bytes_max;
  }

  /// The deflated form of a plain text frame; none where it would not be smaller.
  std::optional<std::string> deflate(std::string_view frame);

 private:
  DeflateOptions options_;
  Deflater deflater_;
};

}  // namespace carillon::channels::websocket
