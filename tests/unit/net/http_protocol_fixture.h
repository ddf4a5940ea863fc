// A service on a loop of its own, and a client at the other end of one connection.
#pragma once

#include <Poco/Net/StreamSocketImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "net/event_loop.h"
#include "net/http/http_protocol.h"

namespace carillon::net::http {

struct Answer {
  int status = 0;
  std::string head;  ///< with all its lines
  std::string body;

  std::string field(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

class HttpProtocolTest : public testing::Test {
 protected:
  void serve(HttpOptions options = {}) {
    service_ = std::make_unique<HttpService>(loop_, router_, std::move(options));
    connect();
    thread_ = std::thread([this] { loop_.run(); });
  }

  /// Anew, where the connection before has ended.
  void connect() {
    std::array<int, 2> ends{};
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    if (client_ >= 0) close(client_);
    client_ = ends[1];
    const timeval patience{30, 0};
    setsockopt(client_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    Poco::Net::StreamSocket socket(new Poco::Net::StreamSocketImpl(ends[0]));
    loop_.post([this, socket] {
      table_.add(make_plain_transport(socket),
                 [&](Connection& connection) { return service_->make_protocol(connection); });
    });
  }

  ~HttpProtocolTest() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    if (client_ >= 0) close(client_);
  }

  void send_text(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(client_, text.data(), text.size(), MSG_NOSIGNAL);
      ASSERT_GT(sent, 0);
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  bool read_more() {
    std::array<char, 64 * 1024> piece;
    const ssize_t got = recv(client_, piece.data(), piece.size(), 0);
    if (got > 0) heard_.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0;
  }

  Answer read_answer(bool with_body = true) {
    std::size_t end = 0;
    while ((end = heard_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more()) return {};
    }
    Answer answer{std::stoi(heard_.substr(9, 3)), heard_.substr(0, end + 2), {}};
    heard_.erase(0, end + 4);
    const std::string length = answer.field("Content-Length");
    if (!with_body || length.empty()) return answer;
    const std::size_t bytes = std::stoul(length);
    while (heard_.size() < bytes && read_more()) {
    }
    answer.body = heard_.substr(0, bytes);
    heard_.erase(0, bytes);
    return answer;
  }

  Answer ask(const std::string& line, const std::string& fields = {}, const std::string& body = {}) {
    std::string text = line + " HTTP/1.1\r\nHost: hub\r\n" + fields;
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    send_text(text + "\r\n" + body);
    return read_answer(!line.starts_with("HEAD"));
  }

  bool ended() { return heard_.empty() && !read_more(); }

  void add(Method method, const char* path, std::function<Response(const Request&)> answer) {
    router_.add(method, path, [answer = std::move(answer)](const Request& request, const Responder& responder) {
      responder.send(answer(request));
    });
  }

  EventLoop loop_;
  ConnectionTable table_{loop_};
  Router router_;
  std::unique_ptr<HttpService> service_;
  std::thread thread_;
  int client_ = -1;
  std::string heard_;
};

}  // namespace carillon::net::http
