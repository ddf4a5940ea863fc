// POST requests under way: libcurl's multi interface on an event loop (curl_multi_socket_action). Connections are kept
// alive and shared by all requests to the same host; HTTP/2 is spoken where a TLS server offers it; names are resolved
// off the loop (libcurl's threaded resolver).
//
// Redirects are not followed, no proxy is used, and no address is connected to that the guard refuses.
//
// Threads: belongs to its loop.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "channels/webhook/address_guard.h"
#include "hub/text.h"
#include "net/event_loop.h"

namespace carillon::channels::webhook {

/// Why there was no answer.
enum class TransferFailure : std::uint8_t {
  none,             ///< there was one
  timeout,          ///< not in time
  refused_address,  ///< by the guard: nothing was connected to
  tls,              ///< no secure connection: a certificate that does not hold, or no agreement
  unreachable       ///< no such host, no connection, or one that broke
};

inline constexpr std::size_t response_bytes_kept_max = 1024;
inline constexpr std::size_t response_bytes_read_max = 64 * 1024;

struct TransferResult {
  int http_status = 0;  ///< 0 when no answer came
  TransferFailure failure = TransferFailure::none;
  std::string error;               ///< why no answer came; empty when one did
  std::string response;            ///< the first 1 KiB of its body
  std::int64_t retry_after_s = 0;  ///< what the answer asked for, as a number or a date; 0 without
  std::int32_t duration_ms = 0;
};

struct TransferOptions {
  AddressGuard guard;
  std::int64_t timeout_ms = 10'000;         ///< for the whole of a request, the connection included
  std::int64_t connect_timeout_ms = 5'000;  ///< for its connection, name and handshake included
  std::string ca_file{};                    ///< PEM: certificates to trust instead of the system's; empty: the system's
  std::string client_cert{};                ///< PEM: shown to endpoints that ask for one; empty: none
  std::string client_key{};                 ///< PEM: the key of that
  std::size_t connections_kept_max = 256;   ///< idle ones
};

class Transfers final : private net::Timer, private net::TurnEnd {
 public:
  using Done = std::function<void(TransferResult)>;

  Transfers(net::EventLoop& loop, TransferOptions options);
  /// Aborts what is under way.
  ~Transfers() override;
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// Other options from now on; what is under way ends as it was begun. No connection that was kept is used on to an
  /// address that the guard refuses now.
  void set_options(TransferOptions options);

  /// Sends `body` as JSON; `fields` are header lines ("webhook-id: …"). `done` is called in a later turn of the loop.
  void start(const std::string& url, const std::vector<std::string>& fields, hub::Text body, Done done);

  /// Ends all without calling their `done`.
  void abort_all();

  std::size_t in_flight() const { return in_flight_.size(); }

 private:
  struct Request;
  struct Watch;

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watch);
  static int on_timeout(CURLM* multi, long timeout_ms, void* self);

  void on_timer() override;
  void on_turn_end() override;
  void act(curl_socket_t socket, int events);
  void collect();
  std::unique_ptr<Request> take_request();
  void keep(std::unique_ptr<Request> request);

  net::EventLoop& loop_;
  TransferOptions options_;
  std::uint64_t options_number_ = 0;  ///< counts those that came; what was made for others is not used again
  CURLM* multi_;
  std::unordered_map<curl_socket_t, std::unique_ptr<Watch>> watches_;
  std::unordered_map<CURL*, std::unique_ptr<Request>> in_flight_;
  std::vector<std::unique_ptr<Request>> spare_;  ///< kept with their handles, for a handle costs more than a request
  bool due_now_ = false;
  bool turn_end_asked_ = false;
};

}  // namespace carillon::channels::webhook
