#include "channels/websocket/frame_deflater.h"

#include "channels/websocket/frame.h"

namespace carillon::channels::websocket {

std::optional<std::string> FrameDeflater::deflate(std::string_view frame) {
  const auto deflated = deflater_.deflate(payload_of(frame));
  if (!deflated) return std::nullopt;
  return make_deflated_frame(Opcode::text, *deflated);
}

}  // namespace carillon::channels::websocket
