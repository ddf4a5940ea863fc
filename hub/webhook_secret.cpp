#include "hub/webhook_secret.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "hub/id.h"

namespace carillon::hub {
namespace {

constexpr std::string_view prefix = "whsec_";
constexpr std::size_t bytes_min = 24;
constexpr std::size_t bytes_max = 64;
constexpr std::size_t new_bytes = 32;

bool is_base64_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

}  // namespace

std::optional<std::vector<std::uint8_t>> webhook_secret_bytes(std::string_view secret) {
  if (!secret.starts_with(prefix)) return std::nullopt;
  const std::string_view text = secret.substr(prefix.size());
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  // OpenSSL's reader passes over blanks and counts padding as bytes; so both are looked at here.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (!std::all_of(digits.begin(), digits.end(), is_base64_char)) return std::nullopt;
  std::vector<std::uint8_t> bytes(text.size() / 4 * 3);
  const int length =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  if (bytes.size() < bytes_min || bytes.size() > bytes_max) return std::nullopt;
  return bytes;
}

std::string make_webhook_secret() {
  std::array<unsigned char, new_bytes> bytes{};
  random_bytes(bytes.data(), bytes.size());
  std::array<unsigned char, new_bytes / 3 * 4 + 5> text{};  // OpenSSL writes a NUL behind it
  const int length = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  return std::string(prefix).append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(length));
}

}  // namespace carillon::hub
