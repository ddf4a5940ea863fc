// A webhook receiver on a free port of 127.0.0.1: keeps what it gets, and answers what it is told to. Plain sockets and
// a thread a connection, so that an answer can be anything, and a thread checker sees all there is.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace carillon::channels::webhook {

struct Received {
  std::map<std::string, std::string> fields;  ///< names in lower case
  std::string body;
  std::size_t connection = 0;  ///< counted from 0
};

struct Answer {
  Answer(int code) : status(code) {}  // NOLINT: converts on purpose
  Answer(int code, std::vector<std::string> lines, std::string text = {})
      : status(code), fields(std::move(lines)), body(std::move(text)) {}

  /// One that breaks off in its head.
  static Answer half() { return {-1, {}}; }

  int status;                       ///< 0: none, the connection is closed
  std::vector<std::string> fields;  ///< "Retry-After: 7"
  std::string body;
};

class Receiver {
 public:
  /// Called with each request before it is answered, on its connection's thread.
  using Answering = std::function<Answer(const Received&)>;

  explicit Receiver(Answering answering = [](const Received&) { return 204; }) : answering_(std::move(answering)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address_;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address_), bytes) != 0 || ::listen(listener_, SOMAXCONN) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &bytes) != 0) {
      throw std::runtime_error("the receiver cannot listen");
    }
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~Receiver() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (const Connection& connection : connections_) ::shutdown(connection.socket, SHUT_RDWR);
    for (Connection& connection : connections_) {
      connection.thread.join();
      ::close(connection.socket);
    }
    ::close(listener_);
  }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::string url(const std::string& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + path;
  }

  /// All that has come, once it is `count` or more; what there is when the patience ends.
  std::vector<Received> await(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return received_.size() >= count; });
    return received_;
  }

 private:
  struct Connection {
    int socket;
    std::thread thread;
  };

  void accept_all() {
    for (std::size_t number = 0;; ++number) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;  // the destructor has shut the listener
      connections_.push_back({socket, std::thread([this, socket, number] { serve(socket, number); })});
    }
  }

  void serve(int socket, std::size_t number) {
    std::string unread;
    while (auto request = read(socket, unread)) {
      request->connection = number;
      const Answer answer = answering_(*request);
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(std::move(*request));
      }
      arrived_.notify_all();
      if (!write(socket, answer)) break;
    }
    ::shutdown(socket, SHUT_RDWR);
  }

  /// None when the other side has closed, or sends something that is no request with a Content-Length.
  static std::optional<Received> read(int socket, std::string& unread) {
    std::size_t head = 0;
    while ((head = unread.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(socket, unread)) return std::nullopt;
    }
    Received request;
    for (std::size_t at = unread.find("\r\n"); at < head;) {
      const std::size_t end = unread.find("\r\n", at + 2);
      add_field(request, std::string_view(unread).substr(at + 2, end - at - 2));
      at = end;
    }
    const std::size_t body_bytes = std::stoul(request.fields["content-length"]);
    const std::size_t body = head + 4;
    while (unread.size() < body + body_bytes) {
      if (!read_more(socket, unread)) return std::nullopt;
    }
    request.body = unread.substr(body, body_bytes);
    unread.erase(0, body + body_bytes);
    return request;
  }

  static void add_field(Received& request, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    line.remove_prefix(colon + 1);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    request.fields[name] = line;
  }

  static bool read_more(int socket, std::string& unread) {
    char some[4096];
    const ssize_t bytes = ::recv(socket, some, sizeof some, 0);
    if (bytes <= 0) return false;
    unread.append(some, static_cast<std::size_t>(bytes));
    return true;
  }

  /// False when the connection is to end.
  static bool write(int socket, const Answer& answer) {
    if (answer.status <= 0) {
      if (answer.status < 0) ::send(socket, "HTTP/1.1 20", 11, MSG_NOSIGNAL);
      return false;
    }
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Said\r\n";
    if (answer.status != 204) text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    for (const std::string& field : answer.fields) text += field + "\r\n";
    text += "\r\n" + answer.body;
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t bytes = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (bytes <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(bytes));
    }
    return true;
  }

  Answering answering_;
  sockaddr_in address_{};
  int listener_ = -1;
  std::thread acceptor_;
  std::list<Connection> connections_;  ///< the acceptor's until it has ended
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Received> received_;
};

}  // namespace carillon::channels::webhook
