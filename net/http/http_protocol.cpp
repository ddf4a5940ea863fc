#include "net/http/http_protocol.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>
#include <sys/random.h>

#include <array>
#include <charconv>
#include <utility>

namespace carillon::net::http {
namespace {

/// Bodies up to this size are copied behind their head, so that both leave as one piece.
constexpr std::size_t joined_body_bytes_max = 16 * 1024;
constexpr std::size_t request_id_chars = 14;  // short enough for a string to keep within itself
constexpr std::size_t foreign_request_id_chars_max = 128;

/// What a caller may send as X-Request-Id to find its request again: nothing that could break out of a log line.
bool is_request_id(std::string_view text) { return text.size() <= foreign_request_id_chars_max && is_token(text); }

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

}  // namespace

// --- what the connections of a loop share ----------------------------------------------------------------------------

HttpService::HttpService(EventLoop& loop, const Router& router, HttpLimits limits)
    : loop_(loop), router_(router), limits_(limits), request_number_(0) {
  // The upper half tells loops and runs of the hub apart, the lower half counts.
  std::uint32_t prefix = 0;
  if (getrandom(&prefix, sizeof prefix, 0) == sizeof prefix)
    request_number_ = static_cast<std::uint64_t>(prefix) << 32U;
}

std::unique_ptr<Protocol> HttpService::make_protocol(Connection& connection) {
  return std::make_unique<HttpProtocol>(*this, connection);
}

void HttpService::next_request_id(std::string& id) {
  static constexpr std::string_view digits = "0123456789abcdef";
  id.resize(request_id_chars);
  std::uint64_t number = ++request_number_;
  for (std::size_t i = request_id_chars; i-- > 0; number >>= 4U) id[i] = digits[number & 0x0FU];
}

std::string_view HttpService::date() {
  const std::int64_t second = loop_.now_ms() / 1000;
  if (second != date_second_ || date_.empty()) {
    date_second_ = second;
    date_ = Poco::DateTimeFormatter::format(Poco::Timestamp(), Poco::DateTimeFormat::HTTP_FORMAT);
  }
  return date_;
}

void HttpService::count_answer(int status) {
  std::atomic<std::uint64_t>& count = answers_[static_cast<std::size_t>(status) / 100 % hundreds];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// --- one connection --------------------------------------------------------------------------------------------------

HttpProtocol::HttpProtocol(HttpService& service, Connection& connection)
    : service_(service), connection_(connection), awaiting_since_ms_(connection.loop().now_ms()) {
  connection_.set_timer_in(service_.limits_.head_timeout_ms);
}

void HttpProtocol::await(Awaiting what) {
  awaiting_ = what;
  awaiting_since_ms_ = connection_.loop().now_ms();
}

std::size_t HttpProtocol::on_bytes(std::string_view bytes) {
  std::size_t consumed = 0;
  while (consumed < bytes.size() && !waiting_ && !connection_.ending() && connection_.protocol() == this) {
    const std::size_t taken = read_one(bytes.substr(consumed));
    if (taken == 0) break;
    consumed += taken;
  }
  return consumed;
}

std::size_t HttpProtocol::read_one(std::string_view bytes) {
  if (chunked_) return read_body(bytes);
  if (bytes.size() < bytes_needed_) return 0;
  Head& head = service_.head_;
  const HeadResult result = read_head(bytes, service_.limits_.head, head);
  if (result.state == HeadState::refused) {
    const std::string_view code = result.status == 400 ? "bad_request" : "unsupported_request";
    refuse(result.status, code, result.detail);
    return bytes.size();
  }
  if (result.state == HeadState::incomplete) {
    if (awaiting_ == Awaiting::request) {
      await(Awaiting::head);
      connection_.set_timer_in(service_.limits_.head_timeout_ms);
    }
    return 0;
  }
  keep_alive_ = head.keep_alive;
  head_only_ = head.method == Method::head;
  http_1_0_ = head.minor_version == 0;
  if (head.framing == Framing::none || (head.framing == Framing::length && head.content_length == 0)) {
    dispatch(head, {});
    return head.bytes;
  }
  if (awaiting_ != Awaiting::body) {
    if (head.content_length > service_.limits_.body_bytes_max) {
      refuse(413, "body_too_large",
             "The body is over the limit of " + std::to_string(service_.limits_.body_bytes_max) + " bytes.");
      return bytes.size();
    }
    const bool whole = head.framing == Framing::length && bytes.size() - head.bytes >= head.content_length;
    if (!whole) {
      await(Awaiting::body);
      connection_.set_timer_in(service_.limits_.body_timeout_ms);
      if (head.expects_continue && bytes.size() == head.bytes) {
        static const auto go_on = std::make_shared<const std::string>("HTTP/1.1 100 Continue\r\n\r\n");
        connection_.write(go_on);
      }
    }
  }
  if (head.framing == Framing::length) {
    const auto whole = head.bytes + static_cast<std::size_t>(head.content_length);
    if (bytes.size() < whole) {
      bytes_needed_ = whole;
      return 0;
    }
    bytes_needed_ = 0;
    dispatch(head, bytes.substr(head.bytes, static_cast<std::size_t>(head.content_length)));
    return whole;
  }
  chunked_ = std::make_unique<ChunkedDecoder>();
  chunked_body_ = std::make_unique<std::string>();
  head_text_ = std::make_unique<std::string>(bytes.substr(0, head.bytes));
  const std::size_t head_bytes = head.bytes;
  return head_bytes + read_body(bytes.substr(head_bytes));
}

std::size_t HttpProtocol::read_body(std::string_view bytes) {
  std::size_t consumed = 0;
  const auto state = chunked_->decode(bytes, service_.limits_.body_bytes_max, *chunked_body_, consumed);
  switch (state) {
    case ChunkedDecoder::State::more:
      return consumed;
    case ChunkedDecoder::State::malformed:
      refuse(400, "bad_request", "The chunked body is malformed.");
      return bytes.size();
    case ChunkedDecoder::State::too_large:
      refuse(413, "body_too_large",
             "The body is over the limit of " + std::to_string(service_.limits_.body_bytes_max) + " bytes.");
      return bytes.size();
    case ChunkedDecoder::State::done:
      break;
  }
  // The loop's head has served other connections since: read this request's own again.
  const auto head_text = std::move(head_text_);
  const auto body = std::move(chunked_body_);
  chunked_.reset();
  read_head(*head_text, service_.limits_.head, service_.head_);
  dispatch(service_.head_, *body);
  return consumed;
}

void HttpProtocol::dispatch(const Head& head, std::string_view body) {
  Request request;
  request.method = head.method;
  request.method_text = head.method_text;
  request.target = head.target;
  request.path = head.path;
  request.query = head.query;
  request.minor_version = head.minor_version;
  request.fields = head.fields;
  request.body = body;
  const auto foreign_id = request.field("X-Request-Id");
  if (foreign_id && is_request_id(*foreign_id)) {
    request_id_ = *foreign_id;
  } else {
    service_.next_request_id(request_id_);
  }
  request.id = request_id_;
  request.connection = connection_.ref();

  waiting_ = true;
  await(Awaiting::answer);
  connection_.pause_reading();
  service_.router_.route(request, Responder(connection_.ref(), ++request_));
}

void HttpProtocol::refuse(int status, std::string_view code, std::string_view detail) {
  keep_alive_ = false;
  service_.next_request_id(request_id_);
  waiting_ = true;
  answer(++request_, to_response(Problem{status, code, std::string(detail), {}, 0}));
}

void HttpProtocol::answer(std::uint32_t request, Response response) {
  if (!awaits(request)) return;
  waiting_ = false;
  service_.count_answer(response.status);
  const bool bodiless = response.status == 204 || response.status == 304;

  std::string text;
  const bool joined = response.body.size() <= joined_body_bytes_max;
  text.reserve(256 + response.fields.size() + (joined ? response.body.size() : 0));
  text += "HTTP/1.1 ";
  append_number(text, static_cast<std::size_t>(response.status));
  text.append(" ").append(reason_phrase(response.status)).append("\r\nDate: ").append(service_.date());
  if (!response.content_type.empty() && !bodiless) text.append("\r\nContent-Type: ").append(response.content_type);
  if (!bodiless) {
    text += "\r\nContent-Length: ";
    append_number(text, response.body.size());
  }
  text.append("\r\nX-Request-Id: ").append(request_id_).append("\r\n").append(response.fields);
  if (!keep_alive_) {
    text += "Connection: close\r\n";
  } else if (http_1_0_) {
    text += "Connection: keep-alive\r\n";
  }
  text += "\r\n";
  const bool with_body = !bodiless && !head_only_ && !response.body.empty();
  if (with_body && joined) text += response.body;
  connection_.write(std::move(text));
  if (with_body && !joined) connection_.write(std::move(response.body));

  if (!keep_alive_) return connection_.end();
  // The deadline is left where it is; when it comes, on_time() finds what has happened since and sets it anew. So a
  // request that comes and is answered at once costs no timer.
  await(Awaiting::request);
  connection_.resume_reading();
}

void HttpProtocol::upgrade(std::uint32_t request, std::string head,
                           const std::function<std::unique_ptr<Protocol>(Connection&)>& make) {
  if (!awaits(request)) return;
  waiting_ = false;
  service_.count_answer(101);
  Connection& connection = connection_;
  connection.write(std::move(head));
  connection.clear_timer();
  connection.become(make(connection));  // `this` is gone from here on, unless it is being called
  connection.resume_reading();
}

void HttpProtocol::on_end_of_input() {
  // Half a request can never become whole; a whole one is still answered.
  if (!waiting_) connection_.end();
}

void HttpProtocol::on_blocked() { connection_.set_timer_in(service_.limits_.stall_timeout_ms); }

void HttpProtocol::on_time() {
  const HttpLimits& limits = service_.limits_;
  const MonotonicMs now = connection_.loop().now_ms();
  if (connection_.unsent_bytes() > 0) {
    const MonotonicMs stalled_at = connection_.unsent_since_ms() + limits.stall_timeout_ms;
    if (now >= stalled_at) return connection_.drop();
    return connection_.set_timer_at(stalled_at);
  }
  MonotonicMs deadline = awaiting_since_ms_;
  switch (awaiting_) {
    case Awaiting::answer:
      // The handler answers in its own time.
      return connection_.set_timer_in(limits.idle_timeout_ms);
    case Awaiting::request:
      deadline += limits.idle_timeout_ms;
      if (now >= deadline) return connection_.end();
      break;
    case Awaiting::head:
      deadline += limits.head_timeout_ms;
      if (now >= deadline) return refuse(408, "request_timeout", "The request's head did not arrive in time.");
      break;
    case Awaiting::body:
      deadline += limits.body_timeout_ms;
      if (now >= deadline) return refuse(408, "request_timeout", "The request's body did not arrive in time.");
      break;
  }
  connection_.set_timer_at(deadline);
}

// --- the way back ----------------------------------------------------------------------------------------------------

namespace {

HttpProtocol* find(const ConnectionRef& ref) {
  const Connection* connection = ref.get();
  return connection == nullptr ? nullptr : dynamic_cast<HttpProtocol*>(connection->protocol());
}

}  // namespace

void Responder::send(Response response) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->answer(request_, std::move(response));
}

void Responder::upgrade(std::string head, const std::function<std::unique_ptr<Protocol>(Connection&)>& make) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->upgrade(request_, std::move(head), make);
}

bool Responder::alive() const {
  const HttpProtocol* protocol = find(connection_);
  return protocol != nullptr && protocol->awaits(request_);
}

}  // namespace carillon::net::http
