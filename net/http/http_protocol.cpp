#include "net/http/http_protocol.h"

#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/Timestamp.h>
#include <sys/random.h>

#include <array>
#include <charconv>
#include <chrono>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "net/http/trace_context.h"

namespace carillon::net::http {
namespace {

/// Bodies up to this size are copied behind their head, so that both leave as one piece.
constexpr std::size_t joined_body_bytes_max = 16 * 1024;
constexpr std::size_t request_id_chars = 14;  // short enough for a string to keep within itself
constexpr std::size_t foreign_request_id_chars_max = 128;

/// What a caller may send as X-Request-Id to find its request again: nothing that could break out of a log line.
bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= foreign_request_id_chars_max && is_visible_ascii(text);
}

/// Where in header lines the value of a field stands; npos without it.
std::size_t value_of(std::string_view fields, std::string_view name_and_colon) {
  for (std::size_t at = 0; at < fields.size(); at = fields.find("\r\n", at) + 2) {
    if (fields.substr(at).starts_with(name_and_colon)) return at + name_and_colon.size();
  }
  return std::string_view::npos;
}

/// A tag says that the bytes are the same; those of a compressed answer are not the ones of the plain one, so it says
/// only that they mean the same (RFC 9110, section 8.8.1).
void weaken_etag(std::string& fields) {
  const std::size_t at = value_of(fields, "ETag: ");
  if (at != std::string_view::npos && fields[at] == '"') fields.insert(at, "W/");
}

void append_number(std::string& out, std::size_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

std::size_t microseconds_since(std::chrono::steady_clock::time_point began) {
  const auto since = std::chrono::steady_clock::now() - began;
  return static_cast<std::size_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

/// Of a head that begins with `HTTP/1.1 ` and three digits.
int status_of(std::string_view head) {
  int status = 0;
  std::from_chars(head.data() + 9, head.data() + 12, status);
  return status;
}

}  // namespace

// --- what the connections of a loop share ----------------------------------------------------------------------------

HttpService::HttpService(EventLoop& loop, const Router& router, HttpOptions options)
    : loop_(loop), router_(router), options_(std::move(options)), request_number_(0) {
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
  connection_.set_timer_in(service_.options_.limits.head_timeout_ms);
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
  const HeadResult result = read_head(bytes, service_.options_.limits.head, head);
  if (result.state == HeadState::refused) {
    const std::string_view code = result.status == 400 ? "bad_request" : "unsupported_request";
    refuse_head(result.status, code, result.detail);
    return bytes.size();
  }
  if (result.state == HeadState::incomplete) {
    if (awaiting_ == Awaiting::request) {
      await(Awaiting::head);
      connection_.set_timer_in(service_.options_.limits.head_timeout_ms);
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
    if (head.content_length > service_.options_.limits.body_bytes_max) {
      note(head);
      refuse_too_large();
      return bytes.size();
    }
    const bool whole = head.framing == Framing::length && bytes.size() - head.bytes >= head.content_length;
    if (!whole) {
      // If the body does not come, or is none, its answer is still one to this head.
      note(head);
      // Who asks before it sends the body is spared sending one that nobody reads; but whether it heeds the answer
      // cannot be known, so nothing behind it can be read as a request.
      if (head.expects_continue && refused_for_its_head(head)) return bytes.size();
      await(Awaiting::body);
      connection_.set_timer_in(service_.options_.limits.body_timeout_ms);
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
  const auto state = chunked_->decode(bytes, service_.options_.limits.body_bytes_max, *chunked_body_, consumed);
  switch (state) {
    case ChunkedDecoder::State::more:
      return consumed;
    case ChunkedDecoder::State::malformed:
      refuse(400, "bad_request", "The chunked body is malformed.");
      return bytes.size();
    case ChunkedDecoder::State::too_large:
      refuse_too_large();
      return bytes.size();
    case ChunkedDecoder::State::done:
      break;
  }
  // The loop's head has served other connections since: read this request's own again.
  const auto head_text = std::move(head_text_);
  const auto body = std::move(chunked_body_);
  chunked_.reset();
  read_head(*head_text, service_.options_.limits.head, service_.head_);
  dispatch(service_.head_, *body);
  return consumed;
}

/// What an answer to this head says of it, whoever gives it.
void HttpProtocol::note(const Head& head) {
  request_id_.clear();
  note_wishes(head);
  if (request_id_.empty()) service_.next_request_id(request_id_);
}

Request HttpProtocol::make_request(const Head& head, std::string_view body) const {
  Request request;
  request.method = head.method;
  request.method_text = head.method_text;
  request.target = head.target;
  request.path = head.path;
  request.query = head.query;
  request.minor_version = head.minor_version;
  request.fields = head.fields;
  request.body = body;
  request.id = request_id_;
  request.connection = connection_.ref();
  return request;
}

HttpProtocol::Kept& HttpProtocol::kept() {
  if (!kept_) kept_ = std::make_unique<Kept>();
  return *kept_;
}

/// Reads what the head says of the answer, which may come when the head has long gone.
void HttpProtocol::note_wishes(const Head& head) {
  const HttpOptions& options = service_.options_;
  const bool may_compress = options.gzip.bytes_min > 0;
  AcceptedCodings codings;
  bool from_allowed = false;
  bool asks_to_send = false;
  knows_gzipped_ = false;
  for (const Field& field : head.fields) {
    switch (field.name.size()) {
      case 6:
        if (!options.cors.enabled() || !same_name(field.name, "Origin") || !options.cors.allows(field.value)) break;
        kept().origin = field.value;
        from_allowed = true;
        break;
      case 12:
        if (same_name(field.name, "X-Request-Id") && is_request_id(field.value)) request_id_ = field.value;
        break;
      case 13:
        if (may_compress && same_name(field.name, "If-None-Match")) knows_gzipped_ = field.value.starts_with("W/");
        break;
      case 15:
        if (may_compress && same_name(field.name, "Accept-Encoding")) codings.add(field.value);
        break;
      case 29:
        asks_to_send |= same_name(field.name, "Access-Control-Request-Method");
        break;
      default:
        break;
    }
  }
  coding_ = codings.choice();
  if (from_allowed) kept_->preflight = asks_to_send && head.method == Method::options;
  if (options.log == nullptr && !options.server_timing) return;
  kept().began = std::chrono::steady_clock::now();
  if (options.log == nullptr) return;
  kept_->method = head.method_text;
  kept_->path = head.path;
  kept_->trace_id = trace_id_of(head.fields);
}

void HttpProtocol::add_fields(std::uint32_t request, std::string_view fields) {
  if (awaits(request)) kept().fields.append(fields);
}

void HttpProtocol::name_caller(std::uint32_t request, std::string caller) {
  if (awaits(request)) kept().caller = std::move(caller);
}

void HttpProtocol::dispatch(const Head& head, std::string_view body) {
  note(head);
  Request request = make_request(head, body);
  waiting_ = true;
  await(Awaiting::answer);
  connection_.pause_reading();
  service_.router_.route(request, Responder(connection_.ref(), ++request_));
}

bool HttpProtocol::refused_for_its_head(const Head& head) {
  auto refusal = service_.router_.refusal(make_request(head, {}), true);
  if (!refusal) return false;
  keep_alive_ = false;
  waiting_ = true;
  answer(++request_, std::move(*refusal));
  return true;
}

/// For a head that was not read: what is known is of a request before.
void HttpProtocol::refuse_head(int status, std::string_view code, std::string_view detail) {
  head_only_ = false;
  coding_ = AcceptedCodings::Choice::plain;
  kept_.reset();
  service_.next_request_id(request_id_);
  refuse(status, code, detail);
}

void HttpProtocol::refuse_too_large() {
  refuse(413, "body_too_large",
         "The body is over the limit of " + std::to_string(service_.options_.limits.body_bytes_max) + " bytes.");
}

/// Nothing behind this can be read as a request.
void HttpProtocol::refuse(int status, std::string_view code, std::string_view detail) {
  keep_alive_ = false;
  waiting_ = true;
  answer(++request_, to_response(Problem{status, code, std::string(detail), {}, 0}));
}

bool HttpProtocol::compress(Response& response) {
  using Choice = AcceptedCodings::Choice;
  const GzipOptions& options = service_.options_.gzip;
  const std::size_t bytes = response.body.size();
  if (coding_ == Choice::plain) return false;
  Body compressed{std::string(response.body.gzipped())};
  if (compressed.empty()) {
    if (bytes > options.bytes_max || (bytes < options.bytes_min && coding_ != Choice::gzip_only)) return false;
    compressed = service_.gzip_.compress(response.body);
  }
  if (compressed.empty()) return false;
  response.body = std::move(compressed);
  weaken_etag(response.fields);
  return true;
}

/// What every answer carries.
void HttpProtocol::append_common_fields(std::string& text, int status) const {
  text.append("X-Request-Id: ").append(request_id_).append("\r\n");
  const HttpOptions& options = service_.options_;
  if (options.cors.enabled() && status != 101) {
    options.cors.append_to(text, kept_ ? std::string_view(kept_->origin) : std::string_view());
    if (kept_ && kept_->preflight && status == 204) text += CorsPolicy::preflight_fields();
  }
  if (!kept_) return;
  if (options.server_timing && kept_->began.time_since_epoch().count() != 0) {
    const auto us = microseconds_since(kept_->began);
    text += "Server-Timing: total;dur=";
    append_number(text, us / 1000);
    const std::size_t rest = us % 1000;
    text.append(rest < 10 ? ".00" : rest < 100 ? ".0" : ".");
    append_number(text, rest);
    text += "\r\n";
  }
  text += kept_->fields;
}

/// The text of the head and the body behind it; pieces that are shared, and large, leave from where they are.
void HttpProtocol::write_body(std::string text, Body& body) {
  if (body.shared().empty() && body.size() > joined_body_bytes_max) {
    connection_.write(std::move(text));
    return connection_.write(std::move(body.own_text()));
  }
  std::size_t at = 0;
  for (const Body::Shared& piece : body.shared()) {
    text.append(body.own_text(), at, piece.at - at);
    at = piece.at;
    if (piece.bytes->size() < Body::shared_bytes_min) {
      text.append(*piece.bytes);
      continue;
    }
    connection_.write(std::exchange(text, {}));
    connection_.write(piece.bytes);
  }
  text.append(body.own_text(), at);
  connection_.write(std::move(text));
}

void HttpProtocol::tell(int status, std::size_t body_bytes) {
  service_.count_answer(status);
  ExchangeLog* const log = service_.options_.log;
  if (log == nullptr) return;
  const std::string peer = connection_.peer();
  Exchange exchange;
  exchange.status = status;
  exchange.body_bytes = body_bytes;
  exchange.peer = peer;
  exchange.request_id = request_id_;
  if (kept_) {
    exchange.method = kept_->method;
    exchange.path = kept_->path;
    exchange.caller = kept_->caller;
    exchange.trace_id = kept_->trace_id;
    exchange.duration_us = static_cast<std::int64_t>(microseconds_since(kept_->began));
  }
  log->on_exchange(exchange);
}

void HttpProtocol::answer(std::uint32_t request, Response response) {
  if (!awaits(request)) return;
  waiting_ = false;
  AnswerTimes* const times = std::exchange(times_, nullptr);
  if (times != nullptr && departure_ == nullptr) times->on_answer(std::chrono::steady_clock::now() - timed_from_);
  departure_ = nullptr;
  const bool bodiless = response.status == 204 || response.status == 304;
  const std::size_t plain_bytes = response.body.size();
  const GzipOptions& gzip = service_.options_.gzip;
  const bool compressed = !bodiless && plain_bytes > 0 && compress(response);
  // A 304 says what the 200 would have said; that the answer then were long enough is not known any more.
  const bool varies = gzip.bytes_min > 0 && (response.status == 304 || compressed || !response.body.gzipped().empty() ||
                                             (plain_bytes >= gzip.bytes_min && plain_bytes <= gzip.bytes_max));
  if (response.status == 304 && knows_gzipped_) weaken_etag(response.fields);
  const bool with_body = !bodiless && !head_only_ && !response.body.empty();
  tell(response.status, with_body ? response.body.size() : 0);

  std::string text;
  const bool joined = with_body && response.body.size() <= joined_body_bytes_max;
  text.reserve(256 + response.fields.size() + (joined ? response.body.size() : 0));
  text += "HTTP/1.1 ";
  append_number(text, static_cast<std::size_t>(response.status));
  text.append(" ").append(reason_phrase(response.status)).append("\r\nDate: ").append(service_.date());
  if (!response.content_type.empty() && !bodiless) text.append("\r\nContent-Type: ").append(response.content_type);
  if (compressed) text += "\r\nContent-Encoding: gzip";
  if (!bodiless) {
    text += "\r\nContent-Length: ";
    append_number(text, response.body.size());
  }
  text += "\r\n";
  append_common_fields(text, response.status);
  if (varies) text += "Vary: Accept-Encoding\r\n";
  text += response.fields;
  if (!keep_alive_) {
    text += "Connection: close\r\n";
  } else if (http_1_0_) {
    text += "Connection: keep-alive\r\n";
  }
  text += "\r\n";
  if (with_body) {
    write_body(std::move(text), response.body);
  } else {
    connection_.write(std::move(text));
  }
  kept_.reset();

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
  departure_ = nullptr;
  times_ = nullptr;
  const int status = status_of(head);
  tell(status, 0);
  std::string common;
  if (status != 101) common.append("Date: ").append(service_.date()).append("\r\n");
  append_common_fields(common, status);
  kept_.reset();
  head.insert(head.size() - 2, common);  // before the empty line
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

void HttpProtocol::tell_departure(std::uint32_t request, Departure& who) {
  if (awaits(request)) departure_ = &who;
}

void HttpProtocol::time(std::uint32_t request, AnswerTimes& times) {
  if (!awaits(request)) return;
  times_ = &times;
  timed_from_ = std::chrono::steady_clock::now();
}

void HttpProtocol::on_hangup() {
  if (Departure* const who = std::exchange(departure_, nullptr)) who->on_departed();
}

void HttpProtocol::on_gone() noexcept {
  waiting_ = false;
  on_hangup();
}

void HttpProtocol::on_blocked() { connection_.set_timer_in(service_.options_.limits.stall_timeout_ms); }

void HttpProtocol::on_time() {
  const HttpLimits& limits = service_.options_.limits;
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
      if (now >= deadline) return refuse_head(408, "request_timeout", "The request's head did not arrive in time.");
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
  if (connection == nullptr) return nullptr;
  Protocol* const protocol = connection->protocol();
  // Nothing is derived from it, so that this says as much as dynamic_cast, and does not search.
  static_assert(std::is_final_v<HttpProtocol>);
  return protocol != nullptr && typeid(*protocol) == typeid(HttpProtocol) ? static_cast<HttpProtocol*>(protocol)
                                                                          : nullptr;
}

}  // namespace

void Responder::send(Response response) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->answer(request_, std::move(response));
}

void Responder::upgrade(std::string head, const std::function<std::unique_ptr<Protocol>(Connection&)>& make) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->upgrade(request_, std::move(head), make);
}

void Responder::add_fields(std::string_view fields) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->add_fields(request_, fields);
}

void Responder::name_caller(std::string caller) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->name_caller(request_, std::move(caller));
}

void Responder::tell_departure(Departure& who) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->tell_departure(request_, who);
}

void Responder::time(AnswerTimes& times) const {
  if (HttpProtocol* protocol = find(connection_)) protocol->time(request_, times);
}

bool Responder::alive() const {
  const HttpProtocol* protocol = find(connection_);
  return protocol != nullptr && protocol->awaits(request_);
}

}  // namespace carillon::net::http
