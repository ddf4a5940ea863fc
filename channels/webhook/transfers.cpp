#include "channels/webhook/transfers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace carillon::channels::webhook {
namespace {

/// libcurl may ask to be called at once any number of times in a row; beyond so many it waits for the next turn.
constexpr int calls_at_once_max = 8;

struct GlobalCurl {
  GlobalCurl() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
  }
};

std::string address_text(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = address.sa_family == AF_INET
                          ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(address).sin_addr)
                          : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
  return inet_ntop(address.sa_family, bytes, text.data(), text.size()) != nullptr ? text.data() : "of an unknown kind";
}

}  // namespace

/// One request with its handle. The texts must live as long as it is under way.
struct Transfers::Request {
  explicit Request(const Transfers& transfers)
      : handle(curl_easy_init()), owner(transfers), options_number(transfers.options_number_) {
    if (handle == nullptr) throw std::runtime_error("libcurl cannot make a handle");
    // What is the same for all; the handle keeps it.
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(owner.options_.timeout_ms));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(owner.options_.connect_timeout_ms));
    // A request that ends while its name is looked up would otherwise wait for the resolver's thread, and the loop with
    // it.
    set(CURLOPT_QUICK_EXIT, 1L);
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_USERAGENT, "carillon/" CARILLON_VERSION);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_ERRORBUFFER, error.data());
    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Request::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_OPENSOCKETFUNCTION, &Request::on_open);
    set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
    if (options_number > 0) {  // else no connection can be older than the guard
      set(CURLOPT_PREREQFUNCTION, &Request::on_connected);
      set(CURLOPT_PREREQDATA, static_cast<void*>(this));
    }
    if (!owner.options_.ca_file.empty()) set(CURLOPT_CAINFO, owner.options_.ca_file.c_str());
    if (!owner.options_.client_cert.empty()) {
      set(CURLOPT_SSLCERT, owner.options_.client_cert.c_str());
      set(CURLOPT_SSLKEY, owner.options_.client_key.c_str());
    }
  }
  ~Request() {
    curl_slist_free_all(fields);
    curl_easy_cleanup(handle);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  template <typename Value>
  void set(CURLoption option, Value value) {
    curl_easy_setopt(handle, option, value);
  }

  void add_field(const char* line) {
    curl_slist* longer = curl_slist_append(fields, line);
    if (longer == nullptr) throw std::bad_alloc();
    fields = longer;
  }

  void prepare(const std::string& url, const std::vector<std::string>& lines, hub::Text text, Done then) {
    body = std::move(text);
    done = std::move(then);
    add_field("content-type: application/json");
    add_field("expect:");
    for (const std::string& line : lines) add_field(line.c_str());
    set(CURLOPT_URL, url.c_str());
    // To a server that may speak HTTP/2 one connection is begun, and what its handshake agrees on is waited for before
    // the next. Without a handshake that would be its first answer, and one request could hold up all others to its
    // host.
    set(CURLOPT_PIPEWAIT, url.starts_with("https:") ? 1L : 0L);
    set(CURLOPT_HTTPHEADER, fields);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body->size()));
    set(CURLOPT_POSTFIELDS, body->data());
  }

  /// Ready for another.
  void clear() {
    curl_slist_free_all(std::exchange(fields, nullptr));
    set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
    set(CURLOPT_POSTFIELDS, static_cast<char*>(nullptr));
    body.reset();
    done = nullptr;
    refused_address.clear();
    response.clear();
    response_bytes = 0;
    error[0] = '\0';
  }

  TransferResult result(CURLcode code) const {
    TransferResult result;
    curl_off_t time_us = 0;
    curl_easy_getinfo(handle, CURLINFO_TOTAL_TIME_T, &time_us);
    result.duration_ms = static_cast<std::int32_t>(time_us / 1000);
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    // An answer whose body was cut off at the limit is an answer.
    const bool answered = code == CURLE_OK || (code == CURLE_WRITE_ERROR && response_bytes > response_bytes_read_max);
    if (!answered) {
      result.failure = failure(code);
      result.error = why(code);
      return result;
    }
    result.http_status = static_cast<int>(status);
    result.response = response;
    curl_off_t retry_after = 0;
    curl_easy_getinfo(handle, CURLINFO_RETRY_AFTER, &retry_after);
    result.retry_after_s = retry_after;
    return result;
  }

  TransferFailure failure(CURLcode code) const {
    if (!refused_address.empty()) return TransferFailure::refused_address;
    switch (code) {
      case CURLE_OPERATION_TIMEDOUT:
        return TransferFailure::timeout;
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CERTPROBLEM:
      case CURLE_SSL_CIPHER:
      case CURLE_SSL_ISSUER_ERROR:
      case CURLE_SSL_CACERT_BADFILE:
        return TransferFailure::tls;
      default:
        return TransferFailure::unreachable;
    }
  }

  std::string why(CURLcode code) const {
    if (!refused_address.empty()) return "the address " + refused_address + " is not allowed (webhooks.allow_cidrs)";
    return error[0] != '\0' ? error.data() : curl_easy_strerror(code);
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* self) {
    auto& request = *static_cast<Request*>(self);
    const std::size_t room = response_bytes_kept_max - request.response.size();
    request.response.append(data, std::min(bytes, room));
    request.response_bytes += bytes;
    return request.response_bytes > response_bytes_read_max ? 0 : bytes;
  }

  static curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) {
    auto& request = *static_cast<Request*>(self);
    if (!request.owner.options_.guard.allows(address->addr)) {
      request.refused_address = address_text(address->addr);
      return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
  }

  /// Just before it is sent, also over a connection that was kept.
  static int on_connected(void* self, char* address, char*, int, int) {
    auto& request = *static_cast<Request*>(self);
    if (request.owner.options_.guard.allows(address)) return CURL_PREREQFUNC_OK;
    request.refused_address = address;
    return CURL_PREREQFUNC_ABORT;
  }

  CURL* handle;
  const Transfers& owner;
  const std::uint64_t options_number;  ///< of those that the handle was made with
  curl_slist* fields = nullptr;
  hub::Text body;
  Done done;
  std::string refused_address;
  std::string response;
  std::size_t response_bytes = 0;
  std::array<char, CURL_ERROR_SIZE> error{};
};

/// One of libcurl's sockets on the loop.
struct Transfers::Watch final : net::IoHandler {
  Watch(Transfers& owner, curl_socket_t fd) : transfers(owner), socket(fd) {}

  void on_io(std::uint32_t events) override {
    int ready = 0;
    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) ready |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0) ready |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0) ready |= CURL_CSELECT_ERR;
    transfers.act(socket, ready);
  }

  Transfers& transfers;
  curl_socket_t socket;
};

Transfers::Transfers(net::EventLoop& loop, TransferOptions options) : loop_(loop), options_(std::move(options)) {
  static const GlobalCurl once;
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::runtime_error("libcurl cannot be initialised");
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Transfers::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Transfers::on_timeout);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, static_cast<void*>(this));
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_kept_max));
}

Transfers::~Transfers() {
  abort_all();
  spare_.clear();
  curl_multi_cleanup(multi_);
  cancel();
  loop_.forget(*this);
}

void Transfers::start(const std::string& url, const std::vector<std::string>& fields, hub::Text body, Done done) {
  auto request = take_request();
  request->prepare(url, fields, std::move(body), std::move(done));
  CURL* handle = request->handle;
  in_flight_.emplace(handle, std::move(request));
  curl_multi_add_handle(multi_, handle);  // asks to be called at once: see on_timeout
}

std::unique_ptr<Transfers::Request> Transfers::take_request() {
  if (spare_.empty()) return std::make_unique<Request>(*this);
  auto request = std::move(spare_.back());
  spare_.pop_back();
  return request;
}

void Transfers::keep(std::unique_ptr<Request> request) {
  if (request->options_number == options_number_) spare_.push_back(std::move(request));
}

void Transfers::set_options(TransferOptions options) {
  options_ = std::move(options);
  ++options_number_;
  spare_.clear();
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_kept_max));
}

void Transfers::abort_all() {
  for (const auto& [handle, request] : in_flight_) curl_multi_remove_handle(multi_, handle);
  in_flight_.clear();
}

int Transfers::on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) {
  auto& transfers = *static_cast<Transfers*>(self);
  auto* watch = static_cast<Watch*>(known);
  if (what == CURL_POLL_REMOVE) {
    if (watch == nullptr) return 0;
    transfers.loop_.unwatch(socket, *watch);
    curl_multi_assign(transfers.multi_, socket, nullptr);
    transfers.watches_.erase(socket);
    return 0;
  }
  const std::uint32_t events =
      ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
  if (watch != nullptr) {
    transfers.loop_.rewatch(socket, events, *watch);
    return 0;
  }
  auto made = std::make_unique<Watch>(transfers, socket);
  transfers.loop_.watch(socket, events, *made);
  curl_multi_assign(transfers.multi_, socket, made.get());
  transfers.watches_[socket] = std::move(made);
  return 0;
}

int Transfers::on_timeout(CURLM*, long timeout_ms, void* self) {
  // Called from within libcurl, which must not be entered again: "at once" is when the turn ends.
  auto& transfers = *static_cast<Transfers*>(self);
  transfers.cancel();
  transfers.due_now_ = timeout_ms == 0;
  if (timeout_ms > 0) transfers.loop_.set_timer_in(transfers, timeout_ms);
  if (timeout_ms == 0 && !std::exchange(transfers.turn_end_asked_, true)) transfers.loop_.at_turn_end(transfers);
  return 0;
}

void Transfers::on_timer() { act(CURL_SOCKET_TIMEOUT, 0); }

void Transfers::on_turn_end() {
  // What is asked for meanwhile is done here, up to the bound, not by another end of the same turn.
  for (int i = 0; i < calls_at_once_max && std::exchange(due_now_, false); ++i) act(CURL_SOCKET_TIMEOUT, 0);
  turn_end_asked_ = false;
  if (std::exchange(due_now_, false)) loop_.set_timer_in(*this, 1);
}

void Transfers::act(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  collect();
}

void Transfers::collect() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    curl_multi_remove_handle(multi_, handle);  // `message` is gone with this
    auto request = std::move(in_flight_.extract(handle).mapped());
    TransferResult result = request->result(code);
    const Done done = std::move(request->done);
    request->clear();
    keep(std::move(request));
    done(std::move(result));
  }
}

}  // namespace carillon::channels::webhook
