// Which handler a request belongs to, and the way back to whoever asked.
//
// Threads: a router is filled before its loop runs and then belongs to that loop.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/connection.h"
#include "net/http/message.h"
#include "net/http/problem.h"

namespace carillon::net::http {

/// Who is told when whoever asked has gone before being answered.
class Departure {
 public:
  virtual ~Departure() = default;
  /// The asker is gone, or will send nothing more and may be: what is sent to it now is the last, and may go nowhere.
  virtual void on_departed() noexcept = 0;
};

/// Who is told how long requests took.
class AnswerTimes {
 public:
  virtual ~AnswerTimes() = default;
  virtual void on_answer(std::chrono::steady_clock::duration time) noexcept = 0;
};

/// The way back to whoever asked. A value that may be kept and used later, on the loop's thread; when the asker has
/// gone in the meantime, what is sent goes nowhere. Exactly one answer is to be sent for each request.
class Responder {
 public:
  Responder() = default;
  Responder(ConnectionRef connection, std::uint32_t request) : connection_(connection), request_(request) {}

  void send(Response response) const;
  void send(const Problem& problem) const { send(to_response(problem)); }

  /// Sends `head` (a whole 101 response) and lets the protocol take the connection over.
  void upgrade(std::string head, const std::function<std::unique_ptr<Protocol>(Connection&)>& make) const;

  /// Header lines, each ended by CR LF, for the answer whoever sends it.
  void add_fields(std::string_view fields) const;
  /// Says who asks, for the log of requests.
  void name_caller(std::string caller) const;

  /// Tells `times`, which stays, how long it is from now until the answer; nothing of a request that waits with a
  /// Departure, or becomes another protocol.
  void time(AnswerTimes& times) const;

  /// False once the asker is gone.
  bool alive() const;
  /// Tells `who`, once, if the asker goes before it is answered; `who` stays until then, or until the answer is sent.
  void tell_departure(Departure& who) const;

 private:
  ConnectionRef connection_;
  std::uint32_t request_ = 0;
};

/// Called on the loop's thread; must not block. The request is a view: see Request.
using Handler = std::function<void(const Request&, Responder)>;

class Router {
 public:
  /// `pattern` is a path whose segments are literal or `{name}`, which takes one whole, non-empty segment. A path that
  /// one route names outright is none of those that others take, whatever the method.
  void add(Method method, std::string_view pattern, Handler handler);

  /// Answers by the handler, or as refusal() says, or an OPTIONS with 204 and `Allow`. HEAD is served by GET's handler.
  void route(Request& request, const Responder& responder) const;

  /// What a request is answered for its head alone: 404, 405 with `Allow`, or 415 where a body comes that is not
  /// (plain) JSON; none for one that a handler is asked about.
  std::optional<Response> refusal(const Request& request, bool has_body) const;

  struct Route {
    Method method;
    std::string pattern;
    std::vector<std::string> segments;
    Handler handler;
    std::vector<std::string> others{};  ///< paths that it would take and another route names outright
  };
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Found {
    const Route* route = nullptr;
    std::size_t parameters = 0;
    std::string allowed;  ///< without a route: the methods the path has, as `Allow` lists them; empty where it is none
  };
  Found find(Method method, std::string_view path, std::span<std::string_view> parameters) const;

  std::vector<Route> routes_;
};

}  // namespace carillon::net::http
