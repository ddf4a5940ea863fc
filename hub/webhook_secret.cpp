#include "hub/webhook_secret.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "hub/id.h"

namespace carillon::hub {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::string_view signing_prefix = "whsk_";
constexpr std::string_view public_prefix = "whpk_";
constexpr std::size_t secret_bytes_min = 24;
constexpr std::size_t secret_bytes_max = 64;
constexpr std::size_t new_secret_bytes = 32;

using Bytes = std::vector<std::uint8_t>;

bool is_base64_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/// What stands behind the prefix, decoded.
std::optional<Bytes> decode(std::string_view prefix, std::string_view whole) {
  if (!whole.starts_with(prefix)) return std::nullopt;
  const std::string_view text = whole.substr(prefix.size());
  if (text.empty() || text.size() % 4 != 0 || text.size() > secret_bytes_max * 2) return std::nullopt;
  // OpenSSL's reader passes over blanks and counts padding as bytes; so both are looked at here.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  const std::string_view digits = text.substr(0, text.size() - padding);
  if (!std::all_of(digits.begin(), digits.end(), is_base64_char)) return std::nullopt;
  Bytes bytes(text.size() / 4 * 3);
  const int length =
      EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  return bytes;
}

std::string encode(std::string_view prefix, const std::uint8_t* bytes, std::size_t count) {
  std::string text(prefix);
  text.resize(prefix.size() + (count + 2) / 3 * 4 + 1);  // OpenSSL writes a NUL behind it
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data() + prefix.size()), bytes, static_cast<int>(count));
  text.pop_back();
  return text;
}

Ed25519Bytes public_key_from(const std::uint8_t* seed) {
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };
  const std::unique_ptr<EVP_PKEY, Free> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed, sizeof(Ed25519Bytes)));
  Ed25519Bytes bytes{};
  std::size_t length = bytes.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), bytes.data(), &length) != 1 || length != bytes.size()) {
    throw std::runtime_error("OpenSSL cannot make an Ed25519 key");
  }
  return bytes;
}

Ed25519Bytes first_32(const Bytes& bytes) {
  Ed25519Bytes first{};
  std::copy_n(bytes.begin(), first.size(), first.begin());
  return first;
}

}  // namespace

std::optional<Bytes> webhook_secret_bytes(std::string_view secret) {
  auto bytes = decode(secret_prefix, secret);
  if (!bytes || bytes->size() < secret_bytes_min || bytes->size() > secret_bytes_max) return std::nullopt;
  return bytes;
}

std::string make_webhook_secret() {
  std::array<std::uint8_t, new_secret_bytes> bytes{};
  random_bytes(bytes.data(), bytes.size());
  return encode(secret_prefix, bytes.data(), bytes.size());
}

SigningKey make_signing_key() {
  Ed25519Bytes seed{};
  random_bytes(seed.data(), seed.size());
  const Ed25519Bytes public_key = public_key_from(seed.data());
  return {encode(signing_prefix, seed.data(), seed.size()),
          encode(public_prefix, public_key.data(), public_key.size())};
}

std::optional<Ed25519Bytes> signing_key_bytes(std::string_view secret) {
  const auto bytes = decode(signing_prefix, secret);
  constexpr std::size_t seed_bytes = sizeof(Ed25519Bytes);
  if (!bytes || (bytes->size() != seed_bytes && bytes->size() != 2 * seed_bytes)) return std::nullopt;
  if (bytes->size() > seed_bytes) {
    const Ed25519Bytes public_key = public_key_from(bytes->data());
    if (!std::equal(public_key.begin(), public_key.end(), bytes->begin() + seed_bytes)) return std::nullopt;
  }
  return first_32(*bytes);
}

std::optional<Ed25519Bytes> public_key_bytes(std::string_view public_key) {
  const auto bytes = decode(public_prefix, public_key);
  if (!bytes || bytes->size() != sizeof(Ed25519Bytes)) return std::nullopt;
  return first_32(*bytes);
}

std::optional<std::string> public_key_of(std::string_view secret) {
  const auto seed = signing_key_bytes(secret);
  if (!seed) return std::nullopt;
  const Ed25519Bytes public_key = public_key_from(seed->data());
  return encode(public_prefix, public_key.data(), public_key.size());
}

}  // namespace carillon::hub
