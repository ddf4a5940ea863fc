#include "channels/websocket/message_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hub/utf8.h"

namespace carillon::channels::websocket {
namespace {

using Kind = Incoming::Kind;

/// Room that a loop keeps from one message for the next.
constexpr std::size_t kept_bytes_max = 256 * 1024;

constexpr std::string_view not_utf8 = "Text is not valid UTF-8";
constexpr std::string_view too_big = "Message too big";

Incoming message_of(Opcode opcode, std::string_view bytes) {
  return {opcode == Opcode::text ? Kind::text : Kind::binary, CloseCode::normal, bytes};
}

std::string_view unmasked(std::string_view payload, const FrameHead& head, std::string& room) {
  if (room.capacity() > kept_bytes_max) std::string().swap(room);
  room.resize(payload.size());
  unmask(room.data(), payload, head.mask);
  return room;
}

}  // namespace

/// What is incomplete: a frame's head, its payload, the message it belongs to.
struct MessageReader::Partial {
  // The frame.
  std::array<char, head_bytes_max> head_bytes;
  std::size_t head_size = 0;  ///< what has come of a head that is not whole
  bool in_payload = false;
  FrameHead head;
  std::uint64_t payload_taken = 0;
  std::array<char, control_payload_bytes_max> control;

  // The message.
  bool in_message = false;
  bool deflated = false;
  Opcode opcode = Opcode::text;
  std::size_t frames = 0;
  hub::Utf8Checker utf8;
  std::string bytes;  ///< unmasked, and still deflated where the message is
};

MessageReader::MessageReader(Deflate deflate) : deflate_(deflate) {}

MessageReader::~MessageReader() = default;

Incoming MessageReader::next(std::string_view& bytes, ReadingDesk& desk) {
  while (!bytes.empty() && !ended_) {
    const bool in_payload = partial_ && partial_->in_payload;
    const Incoming incoming = in_payload ? take_payload(bytes, desk) : take_head(bytes, desk);
    if (ended_) bytes = {};
    if (incoming.kind != Kind::nothing) return incoming;
  }
  bytes = {};
  return {};
}

void MessageReader::pass_over_messages() {
  passes_over_ = true;
  if (partial_) std::string().swap(partial_->bytes);
}

MessageReader::Partial& MessageReader::kept() {
  if (!partial_) partial_ = std::make_unique<Partial>();
  return *partial_;
}

Incoming MessageReader::fail(CloseCode code, std::string_view why) {
  ended_ = true;
  partial_.reset();
  return {Kind::failure, code, why};
}

// --- heads -----------------------------------------------------------------------------------------------------------

Incoming MessageReader::take_head(std::string_view& bytes, ReadingDesk& desk) {
  const std::size_t held = partial_ ? partial_->head_size : 0;
  std::array<char, head_bytes_max> joined;
  std::string_view text = bytes;
  if (held > 0) {
    const std::size_t more = std::min(bytes.size(), joined.size() - held);
    std::copy_n(partial_->head_bytes.begin(), held, joined.begin());
    std::copy_n(bytes.begin(), more, joined.data() + held);
    text = {joined.data(), held + more};
  }
  FrameHead head;
  const FrameResult result = read_frame_head(text, deflate_, head);
  if (result.state == FrameState::malformed) return fail(CloseCode::protocol_error, result.why);
  if (result.state == FrameState::incomplete) {
    Partial& partial = kept();
    std::copy(text.begin(), text.end(), partial.head_bytes.begin());
    partial.head_size = text.size();
    bytes = {};
    return {};
  }
  bytes.remove_prefix(head.head_bytes - held);
  if (partial_) {
    partial_->head_size = 0;
    if (!partial_->in_message) partial_.reset();
  }
  if (const Incoming failure = check(head, desk); failure.kind != Kind::nothing) return failure;

  const bool alone = is_control(head.opcode) || (head.final && !partial_);
  if (alone && bytes.size() >= head.payload_bytes) {
    const std::string_view payload = bytes.substr(0, static_cast<std::size_t>(head.payload_bytes));
    bytes.remove_prefix(payload.size());
    return take_whole(head, payload, desk);
  }
  begin_frame(head);
  return head.payload_bytes == 0 ? end_frame(desk) : Incoming{};
}

Incoming MessageReader::check(const FrameHead& head, const ReadingDesk& desk) {
  if (is_control(head.opcode)) return {};
  const bool continues = head.opcode == Opcode::continuation;
  if (continues != (partial_ != nullptr)) {
    return fail(CloseCode::protocol_error, continues ? "Continuation of nothing" : "New message within a message");
  }
  if (passes_over_) return {};
  if (head.opcode == Opcode::binary && !desk.takes_binary) {
    return fail(CloseCode::unsupported_data, "Text messages only");
  }
  const bool deflated = continues ? partial_->deflated : head.deflated;
  const std::size_t gathered = continues ? partial_->bytes.size() : 0;
  const std::size_t frames = continues ? partial_->frames : 0;
  const std::size_t bytes_max = deflated ? deflated_bytes_max(desk.message_bytes_max) : desk.message_bytes_max;
  if (head.payload_bytes > bytes_max - gathered || frames > desk.message_bytes_max) {
    return fail(CloseCode::message_too_big, too_big);
  }
  return {};
}

void MessageReader::begin_frame(const FrameHead& head) {
  Partial& partial = kept();
  partial.head = head;
  partial.in_payload = true;
  partial.payload_taken = 0;
  if (is_control(head.opcode)) return;
  if (head.opcode != Opcode::continuation) {
    partial.in_message = true;
    partial.opcode = head.opcode;
    partial.deflated = head.deflated;
  }
  ++partial.frames;
}

// --- payloads --------------------------------------------------------------------------------------------------------

Incoming MessageReader::take_whole(const FrameHead& head, std::string_view payload, ReadingDesk& desk) {
  if (is_control(head.opcode)) return on_control(head.opcode, unmasked(payload, head, desk.message));
  if (passes_over_) return {};
  if (head.deflated) return inflate(head.opcode, unmasked(payload, head, desk.deflated), desk);
  const std::string_view message = unmasked(payload, head, desk.message);
  if (head.opcode == Opcode::text && !hub::is_utf8(message)) return fail(CloseCode::invalid_payload, not_utf8);
  return message_of(head.opcode, message);
}

Incoming MessageReader::take_payload(std::string_view& bytes, ReadingDesk& desk) {
  Partial& partial = *partial_;
  const FrameHead& head = partial.head;
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), head.payload_bytes - partial.payload_taken));
  const std::string_view piece = bytes.substr(0, size);
  bytes.remove_prefix(size);
  if (is_control(head.opcode)) {
    unmask(partial.control.data() + partial.payload_taken, piece, head.mask, partial.payload_taken);
  } else if (!passes_over_) {
    const std::size_t before = partial.bytes.size();
    partial.bytes.append(piece);
    char* const added = partial.bytes.data() + before;
    unmask(added, piece, head.mask, partial.payload_taken);
    const bool is_text = partial.opcode == Opcode::text && !partial.deflated;
    if (is_text && !partial.utf8.take({added, size})) return fail(CloseCode::invalid_payload, not_utf8);
  }
  partial.payload_taken += size;
  return partial.payload_taken == head.payload_bytes ? end_frame(desk) : Incoming{};
}

Incoming MessageReader::end_frame(ReadingDesk& desk) {
  Partial& partial = *partial_;
  partial.in_payload = false;
  const FrameHead head = partial.head;
  if (is_control(head.opcode)) {
    desk.message.assign(partial.control.data(), static_cast<std::size_t>(head.payload_bytes));
    if (!partial.in_message) partial_.reset();
    return on_control(head.opcode, desk.message);
  }
  return head.final ? end_message(desk) : Incoming{};
}

Incoming MessageReader::end_message(ReadingDesk& desk) {
  const std::unique_ptr<Partial> message = std::move(partial_);
  if (passes_over_) return {};
  if (message->deflated) {
    desk.deflated = std::move(message->bytes);
    return inflate(message->opcode, desk.deflated, desk);
  }
  if (!message->utf8.between_characters()) return fail(CloseCode::invalid_payload, not_utf8);
  desk.message = std::move(message->bytes);
  return message_of(message->opcode, desk.message);
}

Incoming MessageReader::inflate(Opcode opcode, std::string_view payload, ReadingDesk& desk) {
  if (desk.message.capacity() > kept_bytes_max) std::string().swap(desk.message);
  switch (desk.inflater.inflate(payload, desk.message_bytes_max, desk.message)) {
    case Inflater::Outcome::malformed:
      return fail(CloseCode::invalid_payload, "Message cannot be inflated");
    case Inflater::Outcome::too_big:
      return fail(CloseCode::message_too_big, too_big);
    case Inflater::Outcome::done:
      break;
  }
  if (opcode == Opcode::text && !hub::is_utf8(desk.message)) return fail(CloseCode::invalid_payload, not_utf8);
  return message_of(opcode, desk.message);
}

// --- control frames --------------------------------------------------------------------------------------------------

Incoming MessageReader::on_control(Opcode opcode, std::string_view payload) {
  if (opcode == Opcode::ping) return {Kind::ping, CloseCode::normal, payload};
  if (opcode == Opcode::pong) return {Kind::pong, CloseCode::normal, payload};
  CloseCode code = CloseCode::normal;
  if (payload.size() == 1) return fail(CloseCode::protocol_error, "Close frame with half a code");
  if (payload.size() >= 2) {
    const auto high = static_cast<unsigned char>(payload[0]);
    const auto low = static_cast<unsigned char>(payload[1]);
    const unsigned number = static_cast<unsigned>(high) << 8U | low;
    payload.remove_prefix(2);
    if (!is_valid_close_code(number)) return fail(CloseCode::protocol_error, "Invalid close code");
    if (!hub::is_utf8(payload)) return fail(CloseCode::invalid_payload, "Close reason is not valid UTF-8");
    code = static_cast<CloseCode>(number);
  }
  ended_ = true;
  partial_.reset();
  return {Kind::close, code, payload};
}

}  // namespace carillon::channels::websocket
