// A blocking HTTP client for the commands: one request, then its answer.
//
// Goes straight to where it is pointed, whatever proxy the environment names, for its hub is near.
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace carillon::app {

/// No answer came; `what()` says why.
class NoAnswer : public std::runtime_error {
 public:
  NoAnswer(const std::string& why, bool sent) : std::runtime_error(why), sent_(sent) {}
  /// False when the other end was not even reached, so that asking again does nothing twice.
  bool sent() const { return sent_; }

 private:
  bool sent_;
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> fields;  ///< by name in lower case; the last of each name
  std::string body;
};

/// What a problem in an answer (RFC 9457) says to a person; the bare status where there is none.
std::string problem_text(const HttpAnswer& answer);

class HttpClient {
 public:
  /// `base` is what all paths are put behind: "http://127.0.0.1:8080". With `unix_socket`, that is connected to
  /// instead.
  explicit HttpClient(std::string base, std::string unix_socket = {});
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Header lines to send with every request, such as "X-API-Key: …".
  void send_always(std::string field) { always_.push_back(std::move(field)); }

  /// How long an answer may take from now on; half a minute unless said otherwise.
  void wait_at_most(std::chrono::milliseconds time) { answer_timeout_ms_ = static_cast<long>(time.count()); }

  /// Throws NoAnswer. A body that is not empty is sent as JSON.
  HttpAnswer request(const std::string& method, const std::string& path, const std::string& body = {},
                     const std::vector<std::string>& fields = {});

 private:
  struct Handle;

  std::string base_;
  std::string unix_socket_;
  std::vector<std::string> always_;
  long answer_timeout_ms_ = 30'000;
  std::unique_ptr<Handle> handle_;
};

}  // namespace carillon::app
