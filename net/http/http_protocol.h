// HTTP/1.1 on a connection (RFC 9112): one request after another, each handed to the router whole; answers in order.
//
//   head (10 s in all) ─▶ body (within its limit and time) ─▶ handler ─▶ answer, now or later ─▶ next head …
//
// While an answer is awaited nothing more is read: a client that pipelines waits in the kernel's buffers, not in ours.
//
// What is said beside the answer itself (a coding, pages of other origins, times, a line for the log) is decided here,
// so that no handler has to think of it.
//
// Threads: belongs to its connection's loop.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/connection.h"
#include "net/http/chunked.h"
#include "net/http/cors.h"
#include "net/http/exchange.h"
#include "net/http/gzip.h"
#include "net/http/head.h"
#include "net/http/negotiation.h"
#include "net/http/router.h"

namespace carillon::net::http {

struct HttpLimits {
  HeadLimits head;
  std::size_t body_bytes_max = 8 * 1024 * 1024;
  MonotonicMs head_timeout_ms = 10'000;   ///< absolute: from the first byte, or from the connection's beginning
  MonotonicMs body_timeout_ms = 60'000;   ///< for the whole body, from the end of the head
  MonotonicMs idle_timeout_ms = 75'000;   ///< between requests
  MonotonicMs stall_timeout_ms = 30'000;  ///< for a client that does not take its answer
};

struct HttpOptions {
  HttpLimits limits;
  CorsPolicy cors;
  GzipOptions gzip;
  bool server_timing = false;  ///< whether an answer says how long it took (Server-Timing)
  ExchangeLog* log = nullptr;  ///< told of every request; outlives the service
};

/// What all HTTP connections of a loop share.
class HttpService {
 public:
  HttpService(EventLoop& loop, const Router& router, HttpOptions options);

  /// Other options from now on, for open connections too.
  void set_options(HttpOptions options) { options_ = std::move(options); }

  std::unique_ptr<Protocol> make_protocol(Connection& connection);

  /// How many answers had a status of 100 * `hundred` and up; from any thread.
  std::uint64_t answers(std::size_t hundred) const { return answers_[hundred].load(std::memory_order_relaxed); }
  static constexpr std::size_t hundreds = 6;

 private:
  friend class HttpProtocol;

  /// A new request id in hexadecimal digits: six that are this service's own, and a count.
  void next_request_id(std::string& id);
  /// The Date field's value (RFC 9110, section 5.6.7), made once a second.
  std::string_view date();
  void count_answer(int status);

  EventLoop& loop_;
  const Router& router_;
  HttpOptions options_;
  Gzip gzip_;
  Head head_;  ///< read into anew for each request, so that its list of fields is allocated once
  std::uint64_t request_number_;
  std::string date_;
  std::int64_t date_second_ = 0;
  std::array<std::atomic<std::uint64_t>, hundreds> answers_{};  ///< changed by the loop's thread alone
};

class HttpProtocol final : public Protocol {
 public:
  HttpProtocol(HttpService& service, Connection& connection);

  std::size_t on_bytes(std::string_view bytes) override;
  void on_end_of_input() override;
  void on_hangup() override;
  void on_blocked() override;
  void on_time() override;
  void on_gone() noexcept override;

  /// Answers the request of that number if it is the one that waits.
  void answer(std::uint32_t request, Response response);
  bool awaits(std::uint32_t request) const { return waiting_ && request == request_; }
  void add_fields(std::uint32_t request, std::string_view fields);
  void name_caller(std::uint32_t request, std::string caller);
  void tell_departure(std::uint32_t request, Departure& who);
  void time(std::uint32_t request, AnswerTimes& times);
  void upgrade(std::uint32_t request, std::string head,
               const std::function<std::unique_ptr<Protocol>(Connection&)>& make);

 private:
  /// What the connection waits for, and so which deadline holds.
  enum class Awaiting : std::uint8_t { request, head, body, answer };

  /// What of a request outlives its handler, for the few that have such.
  struct Kept {
    std::string fields;  ///< header lines for its answer
    std::string origin;  ///< of the page it comes from, where that is allowed
    bool preflight = false;
    // The rest only where it is logged or timed.
    std::string method;
    std::string path;
    std::string caller;
    std::string trace_id;
    std::chrono::steady_clock::time_point began;
  };

  std::size_t read_one(std::string_view bytes);
  std::size_t read_body(std::string_view bytes);
  Request make_request(const Head& head, std::string_view body) const;
  void note(const Head& head);
  void note_wishes(const Head& head);
  Kept& kept();
  void dispatch(const Head& head, std::string_view body);
  bool refused_for_its_head(const Head& head);
  void refuse_head(int status, std::string_view code, std::string_view detail);
  void refuse_too_large();
  void refuse(int status, std::string_view code, std::string_view detail);
  void await(Awaiting what);
  bool compress(Response& response);
  void append_common_fields(std::string& text, int status) const;
  void write_body(std::string text, Body& body);
  void tell(int status, std::size_t body_bytes);

  HttpService& service_;
  Connection& connection_;
  std::unique_ptr<ChunkedDecoder> chunked_;  ///< only while a chunked body comes in
  std::unique_ptr<std::string> head_text_;   ///< the head of such a request, kept until its body is here
  std::unique_ptr<std::string> chunked_body_;
  std::size_t bytes_needed_ = 0;  ///< no use looking before so much is here
  std::uint32_t request_ = 0;
  MonotonicMs awaiting_since_ms_;
  Awaiting awaiting_ = Awaiting::head;
  bool waiting_ = false;    ///< for an answer
  bool keep_alive_ = true;  ///< of the present request
  bool head_only_ = false;  ///< it is a HEAD
  bool http_1_0_ = false;
  bool knows_gzipped_ = false;  ///< its If-None-Match names a weak tag, as compressed answers have
  AcceptedCodings::Choice coding_ = AcceptedCodings::Choice::plain;
  std::unique_ptr<Kept> kept_;      ///< of the present request
  Departure* departure_ = nullptr;  ///< told when the asker goes before the answer
  AnswerTimes* times_ = nullptr;    ///< told how long it is from then until the answer
  std::chrono::steady_clock::time_point timed_from_;
  std::string request_id_;
};

}  // namespace carillon::net::http
