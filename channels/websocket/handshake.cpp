#include "channels/websocket/handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>

#include "channels/presented_key.h"
#include "net/http/field_list.h"
#include "net/http/head.h"
#include "net/http/problem.h"

namespace carillon::channels::websocket {
namespace {

using net::http::Problem;
using net::http::Request;
using net::http::Response;

constexpr std::string_view accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t nonce_chars = 24;  // 16 bytes in base64

std::string_view error_code(int status) {
  if (status == 403) return "origin_not_allowed";
  return status == 426 ? "upgrade_required" : "bad_handshake";
}

Response refuse(int status, std::string detail) {
  Response response = to_response(Problem{status, error_code(status), std::move(detail), {}, 0});
  if (status == 426)
    response.with("Upgrade", "websocket").with("Connection", "Upgrade").with("Sec-WebSocket-Version", "13");
  return response;
}

std::string make_accept(std::string_view nonce) {
  std::string text(nonce);
  text += accept_guid;
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 32> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(base64.data()), static_cast<std::size_t>(length)};
}

bool is_nonce(std::string_view text) {
  if (text.size() != nonce_chars || text.substr(22) != "==") return false;
  return text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == 22;
}

struct Offered {
  bool carillon = false;
  std::string_view first;  ///< the first that is not carillon.v1
};

/// All Sec-WebSocket-Protocol fields together are one list (RFC 6455, section 11.3.4).
Offered read_offered(const Request& request) {
  Offered offered;
  for (const auto& field : request.fields) {
    if (!net::http::same_name(field.name, "Sec-WebSocket-Protocol")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::string_view token = net::http::take_until(rest, ',');
      if (token == carillon_subprotocol) {
        offered.carillon = true;
      } else if (offered.first.empty() && net::http::is_token(token)) {
        offered.first = token;
      }
    }
  }
  return offered;
}

bool comes_from(const net::http::OriginList& origins, const Request& request) {
  for (const auto& field : request.fields) {
    if (net::http::same_name(field.name, "Origin") && !origins.allows(field.value)) return false;
  }
  return true;
}

/// None where the field is missing, and where it is there twice (RFC 6455, section 11.3: these may not be).
std::optional<std::string_view> only_field(const Request& request, std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& field : request.fields) {
    if (!net::http::same_name(field.name, name)) continue;
    if (found) return std::nullopt;
    found = field.value;
  }
  return found;
}

bool any_field_has(const Request& request, std::string_view name, std::string_view token) {
  for (const auto& field : request.fields) {
    if (net::http::same_name(field.name, name) && net::http::list_has(field.value, token)) return true;
  }
  return false;
}

}  // namespace

std::variant<Handshake, Response> read_handshake(const Request& request, const net::http::OriginList& origins) {
  if (!any_field_has(request, "Upgrade", "websocket") || !any_field_has(request, "Connection", "upgrade")) {
    return refuse(426, "This resource is a WebSocket: connect with a WebSocket client.");
  }
  if (request.minor_version != 1) return refuse(400, "A WebSocket handshake is HTTP/1.1.");
  const auto version = only_field(request, "Sec-WebSocket-Version");
  if (!version) return refuse(400, "Sec-WebSocket-Version is missing, or there twice.");
  if (*version != "13") return refuse(426, "The WebSocket version spoken here is 13.");
  const auto nonce = only_field(request, "Sec-WebSocket-Key");
  if (!nonce || !is_nonce(*nonce)) return refuse(400, "Sec-WebSocket-Key is not 16 bytes in base64.");
  if (!request.body.empty()) return refuse(400, "A WebSocket handshake has no body.");
  if (!origins.any() && !comes_from(origins, request)) {
    return refuse(403, "Pages of this origin may not connect: websocket.origins does not name it.");
  }

  Handshake handshake;
  handshake.nonce = *nonce;
  for (const auto& field : request.fields) {
    if (!net::http::same_name(field.name, "Sec-WebSocket-Extensions")) continue;
    if (!agree_on_deflate(field.value, handshake.deflate)) return refuse(400, "Sec-WebSocket-Extensions is malformed.");
  }
  handshake.resume = request.query_member("resume") == "1";
  const Offered offered = read_offered(request);
  if (auto key = request.query_member("api_key")) {
    handshake.key = std::move(*key);
  } else if (!offered.first.empty()) {
    handshake.key = offered.first;
  } else {
    handshake.key = presented_key(request);
  }
  if (offered.carillon) {
    handshake.subprotocol = carillon_subprotocol;
  } else if (offered.first == handshake.key) {
    handshake.subprotocol = offered.first;
  }
  return handshake;
}

std::string make_handshake_answer(const Handshake& handshake) {
  std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  head += make_accept(handshake.nonce);
  head += "\r\n";
  if (!handshake.subprotocol.empty())
    head.append("Sec-WebSocket-Protocol: ").append(handshake.subprotocol).append("\r\n");
  if (handshake.deflate)
    head.append("Sec-WebSocket-Extensions: ").append(to_field_value(*handshake.deflate)).append("\r\n");
  head += "\r\n";
  return head;
}

}  // namespace carillon::channels::websocket
