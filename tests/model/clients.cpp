#include "tests/model/clients.h"

#include <cstdint>
#include <stdexcept>

#include "tests/model/trial_error.h"
#include "tests/unit/websocket/client_frames.h"

namespace carillon::model {
namespace {

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

}  // namespace

std::string http_request(std::string_view method, std::string_view path, std::string_view key, std::string_view fields,
                         std::string_view body) {
  std::string text(method);
  text.append(" /api/v1").append(path).append(" HTTP/1.1\r\nHost: hub\r\nX-API-Key: ").append(key).append("\r\n");
  text.append(fields);
  if (method != "GET") {
    text.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
    text.append("\r\n");
  }
  return text.append("\r\n").append(body);
}

std::optional<Answer> HttpClient::next() {
  unread_ += wire_->take();
  const std::size_t end = unread_.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  Answer answer{std::stoi(unread_.substr(9, 3)), unread_.substr(0, end + 2), {}};
  const std::size_t at = answer.head.find("\r\nContent-Length: ");
  const std::size_t length = at == std::string::npos ? 0 : std::stoul(answer.head.substr(at + 18));
  const std::size_t body = answer.status == 304 || answer.status == 204 ? 0 : length;
  if (unread_.size() < end + 4 + body) return std::nullopt;
  answer.body = unread_.substr(end + 4, body);
  unread_.erase(0, end + 4 + body);
  return answer;
}

WebSocketClient::WebSocketClient(std::shared_ptr<Wire> wire, std::string_view key, bool resume)
    : wire_(std::move(wire)) {
  std::string request = "GET /api/v1/ws/jobs";
  if (resume) request += "?resume=1";
  request.append(" HTTP/1.1\r\nHost: hub\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
  request.append("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-API-Key: ").append(key);
  wire_->send(request.append("\r\n\r\n"));
}

void WebSocketClient::send(std::string_view json) {
  wire_->send(channels::websocket::client_frame(channels::websocket::final_text, json));
}

std::optional<std::string> WebSocketClient::next() {
  unread_ += wire_->take();
  if (!upgraded_) {
    const std::size_t end = unread_.find("\r\n\r\n");
    if (end == std::string::npos) return std::nullopt;
    if (!unread_.starts_with("HTTP/1.1 101 ")) throw Divergence("no upgrade: " + unread_.substr(0, end));
    unread_.erase(0, end + 4);
    upgraded_ = true;
  }
  while (unread_.size() >= 2) {
    const auto first = static_cast<unsigned char>(unread_[0]);
    std::size_t head = 2;
    std::uint64_t length = static_cast<unsigned char>(unread_[1]);
    if (length >= 126) {
      head += length == 126 ? 2 : 8;
      if (unread_.size() < head) return std::nullopt;
      length = big_endian(std::string_view(unread_).substr(2, head - 2));
    }
    if (unread_.size() < head + length) return std::nullopt;
    std::string payload = unread_.substr(head, length);
    unread_.erase(0, head + length);
    if (closed_with_ != 0) throw Divergence("a frame behind the close frame");
    if (first == 0x88) {
      closed_with_ = static_cast<int>(big_endian(std::string_view(payload).substr(0, 2)));
      continue;
    }
    if (first != 0x81) throw Divergence("a frame that begins with " + std::to_string(first));
    return payload;
  }
  return std::nullopt;
}

}  // namespace carillon::model
