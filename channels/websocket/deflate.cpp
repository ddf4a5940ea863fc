#include "channels/websocket/deflate.h"

#include <zlib.h>

#include <new>

namespace carillon::channels::websocket {
namespace {

constexpr std::string_view flush_tail("\0\0\xff\xff", 4);
constexpr std::size_t chunk_bytes = 16 * 1024;
/// Room that is kept from one message for the next.
constexpr std::size_t kept_bytes_max = 256 * 1024;
/// Smaller hash tables than zlib's own choice (8): to clear them for each message costs less, and nothing is lost
/// (docs/decisions/0008).
constexpr int memory_level = 5;

/// zlib reads its input only, and calls it bytes.
Bytef* as_input(std::string_view bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); }
Bytef* as_output(char* bytes) { return reinterpret_cast<Bytef*>(bytes); }

}  // namespace

// --- deflating -------------------------------------------------------------------------------------------------------

Deflater::Deflater(int level, int window_bits) : level_(level), window_bits_(window_bits) {}

Deflater::~Deflater() {
  if (stream_) deflateEnd(stream_.get());
}

std::optional<std::string_view> Deflater::deflate(std::string_view message) {
  if (!stream_) {
    auto stream = std::make_unique<z_stream>();
    if (deflateInit2(stream.get(), level_, Z_DEFLATED, -window_bits_, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
    stream_ = std::move(stream);
  } else {
    deflateReset(stream_.get());
  }
  if (out_.capacity() > kept_bytes_max) std::string().swap(out_);
  // Room for what is worth sending, and not a byte more: where it does not do, nothing is gained.
  out_.resize(message.size() + flush_tail.size());
  z_stream& stream = *stream_;
  stream.next_in = as_input(message);
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = as_output(out_.data());
  stream.avail_out = static_cast<uInt>(out_.size());
  if (::deflate(&stream, Z_SYNC_FLUSH) != Z_OK || stream.avail_in != 0 || stream.avail_out == 0) return std::nullopt;
  return std::string_view(out_).substr(0, out_.size() - stream.avail_out - flush_tail.size());
}

// --- inflating -------------------------------------------------------------------------------------------------------

Inflater::Inflater() = default;

Inflater::~Inflater() {
  if (stream_) inflateEnd(stream_.get());
}

Inflater::Outcome Inflater::inflate(std::string_view payload, std::size_t message_bytes_max, std::string& message) {
  message.clear();
  if (payload.empty()) return Outcome::done;
  if (!stream_) {
    auto stream = std::make_unique<z_stream>();
    if (inflateInit2(stream.get(), -window_bits_max) != Z_OK) throw std::bad_alloc();
    stream_ = std::move(stream);
    chunk_ = std::make_unique<char[]>(chunk_bytes);
  } else {
    inflateReset(stream_.get());
  }
  z_stream& stream = *stream_;
  stream.next_in = as_input(payload);
  stream.avail_in = static_cast<uInt>(payload.size());
  bool in_tail = false;
  for (;;) {
    stream.next_out = as_output(chunk_.get());
    stream.avail_out = chunk_bytes;
    const int result = ::inflate(&stream, Z_SYNC_FLUSH);
    const std::size_t made = chunk_bytes - stream.avail_out;
    if (made > message_bytes_max - message.size()) return Outcome::too_big;
    message.append(chunk_.get(), made);
    if (result == Z_STREAM_END) {
      // A final block ends a stream, not the message (RFC 7692, section 7.2.3.4).
      if (stream.avail_in == 0) return Outcome::done;
      inflateReset(&stream);
      continue;
    }
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result != Z_OK && result != Z_BUF_ERROR) return Outcome::malformed;
    if (stream.avail_out == 0) continue;
    if (stream.avail_in != 0) return Outcome::malformed;
    if (in_tail) {
      // 128: it stands between two blocks. Elsewhere, the payload was cut off.
      return (static_cast<unsigned>(stream.data_type) & 128U) != 0 ? Outcome::done : Outcome::malformed;
    }
    in_tail = true;
    stream.next_in = as_input(flush_tail);
    stream.avail_in = static_cast<uInt>(flush_tail.size());
  }
}

}  // namespace carillon::channels::websocket
