#include "net/http/gzip.h"

#include <zlib.h>

namespace carillon::net::http {
namespace {

constexpr int level = 1;  // JSON becomes a fifth as large already, at a third of the time of the usual level
constexpr int window_bits = 15 + 16;  // the largest window, in gzip's frame
constexpr int memory_level = 8;

}  // namespace

Gzip::Gzip() = default;

Gzip::~Gzip() {
  if (stream_) deflateEnd(stream_.get());
}

Body Gzip::compress(const Body& body) {
  if (body.shared().empty()) return deflated(body);
  if (!last_.same_pieces(body)) {
    last_compressed_ = deflated(body);
    last_compressed_.share();
    last_ = body;
  }
  return last_compressed_;
}

std::string Gzip::deflated(const Body& body) {
  if (!stream_) {
    stream_ = std::make_unique<z_stream_s>();
    if (deflateInit2(stream_.get(), level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
      stream_.reset();
      return {};
    }
  } else {
    deflateReset(stream_.get());
  }
  // One byte less than the body has: what does not fit is not worth sending so.
  std::string out(body.size() - 1, '\0');
  z_stream_s& stream = *stream_;
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  bool fits = true;
  body.for_each_piece([&](std::string_view piece) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));  // deflate reads it only
    stream.avail_in = static_cast<uInt>(piece.size());
    if (fits && !piece.empty()) fits = deflate(&stream, Z_NO_FLUSH) == Z_OK && stream.avail_in == 0;
  });
  if (!fits || deflate(&stream, Z_FINISH) != Z_STREAM_END) return {};
  out.resize(out.size() - stream.avail_out);
  return out;
}

}  // namespace carillon::net::http
