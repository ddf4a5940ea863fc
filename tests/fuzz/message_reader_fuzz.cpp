// The WebSocket reader: whatever comes, it says the same however the bytes are cut, says nothing that its promises
// exclude, and nothing after the end.
//
// Input: one byte of options, one that seeds the cuts, then what the client sends.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "channels/websocket/message_reader.h"
#include "hub/utf8.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon::channels::websocket;
using Kind = Incoming::Kind;
using carillon::fuzz::must;

constexpr std::size_t message_bytes_max = 300;
constexpr std::size_t input_bytes_max = 4096;

struct Heard {
  Kind kind;
  CloseCode code;
  std::string payload;

  bool operator==(const Heard&) const = default;
};

bool is_utf8_by_sequences(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = carillon::hub::utf8_length(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

class Listener {
 public:
  explicit Listener(unsigned options)
      : desk_{.message_bytes_max = message_bytes_max, .takes_binary = (options & 1U) != 0},
        reader_((options & 2U) != 0 ? Deflate::yes : Deflate::no) {
    if ((options & 4U) != 0) reader_.pass_over_messages();
  }

  void hear(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t before = bytes.size();
      const Incoming incoming = reader_.next(bytes, desk_);
      must(bytes.size() < before);
      if (incoming.kind == Kind::nothing) {
        must(bytes.empty());
        return;
      }
      must(!ended_);
      check(incoming);
      heard_.push_back({incoming.kind, incoming.code, std::string(incoming.payload)});
    }
  }

  const std::vector<Heard>& heard() const { return heard_; }

 private:
  void check(const Incoming& incoming) {
    switch (incoming.kind) {
      case Kind::text:
        must(is_utf8_by_sequences(incoming.payload));
        [[fallthrough]];
      case Kind::binary:
        must(incoming.payload.size() <= message_bytes_max);
        must(incoming.kind == Kind::text || desk_.takes_binary);
        break;
      case Kind::ping:
      case Kind::pong:
        must(incoming.payload.size() <= control_payload_bytes_max);
        break;
      case Kind::close:
        must(is_valid_close_code(static_cast<unsigned>(incoming.code)) && is_utf8_by_sequences(incoming.payload));
        ended_ = true;
        break;
      case Kind::failure:
        must(!incoming.payload.empty());
        ended_ = true;
        break;
      case Kind::nothing:
        break;
    }
  }

  ReadingDesk desk_;
  MessageReader reader_;
  std::vector<Heard> heard_;
  bool ended_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > input_bytes_max) return 0;
  const unsigned options = data[0];
  std::uint32_t cut = data[1];
  const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);

  Listener whole(options);
  whole.hear(stream);

  Listener pieces(options);
  for (std::string_view rest = stream; !rest.empty();) {
    cut = cut * 1664525U + 1013904223U;
    // Small pieces mostly, for it is the heads that can be cut badly.
    const std::size_t piece = std::min<std::size_t>(rest.size(), 1 + (cut >> 24U) % ((cut >> 16U & 7U) == 0 ? 200 : 6));
    pieces.hear(rest.substr(0, piece));
    rest.remove_prefix(piece);
  }
  must(pieces.heard() == whole.heard());
  return 0;
}
