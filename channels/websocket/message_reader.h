// What a client sends, read as RFC 6455 and 7692 have it: bytes in, messages and control frames out, no socket.
//
//                ┌──────────────────────── a control frame, anywhere between frames ─┐
//   nothing ──▶ first frame ──▶ continuation … ──▶ final frame ──▶ a message ──▶ nothing
//      │
//      └─▶ after a failure, and after a close frame: the end, nothing more is read
//
// The payload is taken as it comes, so that what is wrong with a message is known at the first byte that is wrong, and
// a reader holds memory only while a frame or a message is incomplete. A frame that is here whole, which is how almost
// all come, is unmasked into room that all readers of a loop share.
//
// Threads: a reader, and the desk it works at, belong to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "channels/websocket/deflate.h"
#include "channels/websocket/frame.h"

namespace carillon::channels::websocket {

/// What the readers of one loop share: limits, the inflater, and room to work in.
struct ReadingDesk {
  /// Of a message, inflated. Reaching it fails the connection with 1009. The frames behind
  /// a message's first count against the same limit, so that empty ones come to an end too.
  std::size_t message_bytes_max = 64 * 1024;
  /// Whether binary messages are let through; else they fail the connection with 1003.
  bool takes_binary = false;

  Inflater inflater{};
  std::string message{};   ///< the present message or control payload
  std::string deflated{};  ///< what it is inflated from
};

struct Incoming {
  enum class Kind : std::uint8_t {
    nothing,  ///< all was read, and more is needed
    text,     ///< a whole message; valid UTF-8
    binary,
    ping,
    pong,
    close,   ///< `code` is the client's; 1000 when it gave none
    failure  ///< the connection is to be failed with `code`; `payload` is a literal that says why
  };
  Kind kind = Kind::nothing;
  CloseCode code = CloseCode::normal;
  /// The message, the control frame's payload, or the reason. Valid until a reader of the same desk reads on.
  std::string_view payload{};
};

class MessageReader {
 public:
  explicit MessageReader(Deflate deflate);
  ~MessageReader();
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

  /// Reads up to the next thing that is whole, takes what it has read from the front of `bytes`, and keeps what is not
  /// whole. Until `nothing` is returned there may be more in the bytes that were given; what comes behind a close frame
  /// or a failure is taken and thrown away.
  Incoming next(std::string_view& bytes, ReadingDesk& desk);

  /// From now on messages are of no interest: they are passed over unread, whatever their size, and cost no memory.
  void pass_over_messages();

 private:
  struct Partial;

  Incoming take_head(std::string_view& bytes, ReadingDesk& desk);
  Incoming take_payload(std::string_view& bytes, ReadingDesk& desk);
  Incoming take_whole(const FrameHead& head, std::string_view payload, ReadingDesk& desk);
  /// `nothing` for a head that may stand where it stands.
  Incoming check(const FrameHead& head, const ReadingDesk& desk);
  void begin_frame(const FrameHead& head);
  Incoming end_frame(ReadingDesk& desk);
  Incoming end_message(ReadingDesk& desk);
  Incoming inflate(Opcode opcode, std::string_view payload, ReadingDesk& desk);
  Incoming on_control(Opcode opcode, std::string_view payload);
  Incoming fail(CloseCode code, std::string_view why);
  Partial& kept();

  std::unique_ptr<Partial> partial_;  ///< only while something is incomplete
  Deflate deflate_;
  bool passes_over_ = false;
  bool ended_ = false;
};

}  // namespace carillon::channels::websocket
