// HTTP/1.1 as strangers speak it: whatever comes in, a connection says the same however the bytes are cut and however
// few of the answers' bytes are taken at once; what a handler sees keeps the promises of a request; and the connection
// comes to its end.
//
// Input: one byte that seeds the cuts, then what the client sends before it ends its side.
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "net/connection.h"
#include "net/event_loop.h"
#include "net/http/field_list.h"
#include "net/http/head.h"
#include "net/http/http_protocol.h"
#include "net/http/router.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon::net;
using namespace carillon::net::http;
using carillon::fuzz::must;

constexpr std::size_t input_bytes_max = 4096;  // within the limits of a head, which are tests/unit's to try
constexpr std::size_t body_bytes_max = 300;

class Cuts {
 public:
  explicit Cuts(std::uint32_t seed) : state_(seed) {}

  std::size_t piece_of(std::size_t bytes) {
    state_ = state_ * 1664525U + 1013904223U;
    // Small pieces mostly, for it is the ends of lines that can be cut badly.
    const std::size_t most = (state_ >> 16U & 7U) == 0 ? 200 : 6;
    return std::min<std::size_t>(bytes, 1 + (state_ >> 24U) % most);
  }

 private:
  std::uint32_t state_;
};

/// The hub's end of a connection whose client has said `stream` and then no more. With `cuts` nothing goes whole.
/// Stops the loop when it goes.
class Script final : public Transport {
 public:
  Script(EventLoop& loop, std::string_view stream, Cuts* cuts, std::string& said)
      : loop_(loop), rest_(stream), cuts_(cuts), said_(said), event_(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)) {
    must(event_ >= 0);
  }
  ~Script() override {
    close(event_);
    loop_.stop();
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;

  Result read(char* into, std::size_t bytes) override {
    if (rest_.empty()) {
      ended_ = true;
      return {Status::ended};
    }
    const std::size_t most = std::min(bytes, rest_.size());
    const std::size_t piece = cuts_ != nullptr ? cuts_->piece_of(most) : most;
    std::memcpy(into, rest_.data(), piece);
    rest_.remove_prefix(piece);
    return {Status::done, piece};
  }

  Result write(const iovec* pieces, std::size_t count) override {
    std::size_t all = 0;
    for (std::size_t i = 0; i < count; ++i) all += pieces[i].iov_len;
    std::size_t left = cuts_ != nullptr ? cuts_->piece_of(all) : all;
    const Result result{Status::done, left};
    for (std::size_t i = 0; left > 0; ++i) {
      const std::size_t bytes = std::min(left, pieces[i].iov_len);
      said_.append(static_cast<const char*>(pieces[i].iov_base), bytes);
      left -= bytes;
    }
    if (result.bytes < all) {
      const std::uint64_t one = 1;  // there is room again
      must(::write(event_, &one, sizeof one) == sizeof one);
    }
    return result;
  }

  bool has_buffered() const override { return !ended_; }
  int fd() const override { return event_; }
  void shutdown_write() override {}

 private:
  EventLoop& loop_;
  std::string_view rest_;
  Cuts* cuts_;
  std::string& said_;
  int event_;
  bool ended_ = false;
};

std::string_view text_of(Framing framing) {
  return framing == Framing::none ? "none" : framing == Framing::length ? "length" : "chunked";
}

/// The same head, written plainly, is read as the same.
void check_head(const Head& head) {
  std::string text(head.method_text);
  text.append(" ").append(head.target).append(" HTTP/1.").append(std::to_string(head.minor_version)).append("\r\n");
  for (const Field& field : head.fields) text.append(field.name).append(": ").append(field.value).append("\r\n");
  text += "\r\n";
  Head again;
  must(read_head(text, HeadLimits{2 * input_bytes_max, 100}, again).state == HeadState::complete);
  must(again.bytes == text.size() && again.method_text == head.method_text && again.target == head.target);
  must(again.path == head.path && again.query == head.query && again.minor_version == head.minor_version);
  must(text_of(again.framing) == text_of(head.framing) && again.content_length == head.content_length);
  must(again.keep_alive == head.keep_alive && again.expects_continue == head.expects_continue);
  must(again.fields.size() == head.fields.size());
}

void check_request(const Request& request) {
  must(is_token(request.method_text) && is_visible_ascii(request.target));
  must(request.path.starts_with('/') && request.path.find('?') == std::string_view::npos);
  must(request.body.size() <= body_bytes_max);
  int hosts = 0;
  int framings = 0;
  for (const Field& field : request.fields) {
    must(is_token(field.name));
    must(field.value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    must(field.value == trim(field.value));
    hosts += same_name(field.name, "Host") ? 1 : 0;
    framings += same_name(field.name, "Content-Length") || same_name(field.name, "Transfer-Encoding") ? 1 : 0;
  }
  must(hosts == 1 || (hosts == 0 && request.minor_version == 0));
  must(framings <= 1);
  for (const std::string_view parameter : request.parameters) {
    must(!parameter.empty() && parameter.find('/') == std::string_view::npos);
  }
  request.query_members();
}

Response echo(const Request& request) {
  check_request(request);
  std::string text(request.method_text);
  text.append(" ").append(request.target).append(" ").append(request.body);
  return json_response(200, Body(std::move(text)));
}

/// What is said to a client that has said `stream`, but for what no two answers have in common.
std::string hear(std::string_view stream, Cuts* cuts) {
  EventLoop loop;
  Router router;
  for (const Method method : {Method::get, Method::post}) {
    router.add(method, "/{one}", [](const Request& request, const Responder& to) { to.send(echo(request)); });
    router.add(method, "/later/{one}", [&loop](const Request& request, const Responder& to) {
      // Kept by what is copied: std::function wants it so.
      loop.post([to, answer = std::make_shared<Response>(echo(request))] { to.send(std::move(*answer)); });
    });
  }
  HttpOptions options;
  options.limits.body_bytes_max = body_bytes_max;
  HttpService service(loop, router, options);
  std::string said;
  {
    ConnectionTable table(loop);
    table.add(std::make_unique<Script>(loop, stream, cuts, said),
              [&](Connection& connection) { return service.make_protocol(connection); });
    loop.run();
    must(table.size() == 0);
  }
  for (const std::string_view field : {"\r\nDate: ", "\r\nX-Request-Id: "}) {
    for (std::size_t at = 0; (at = said.find(field, at)) != std::string::npos;) {
      said.erase(at, std::min(said.find("\r\n", at + 2), said.size()) - at);
    }
  }
  return said;
}

/// Whether somebody asks before sending: what is said then depends on what has come, as it should.
bool asks_first(std::string_view stream) {
  constexpr std::string_view name = "expect";
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  return std::search(stream.begin(), stream.end(), name.begin(), name.end(), same) != stream.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1 || size > input_bytes_max) return 0;
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  Head head;
  if (read_head(stream, HeadLimits{}, head).state == HeadState::complete) check_head(head);
  const std::string whole = hear(stream, nullptr);
  must(whole.empty() || whole.starts_with("HTTP/1.1 "));
  Cuts cuts(data[0]);
  const std::string pieces = hear(stream, &cuts);
  must(pieces == whole || asks_first(stream));
  return 0;
}
