#include "channels/webhook/signer.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <variant>

#include "hub/json.h"
#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

struct Free {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <typename Thing>
using Owned = std::unique_ptr<Thing, Free>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

template <std::size_t Count>
void append_base64(std::string& out, const std::array<unsigned char, Count>& bytes) {
  std::array<unsigned char, (Count + 2) / 3 * 4 + 1> text{};  // OpenSSL writes a NUL behind it
  EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(Count));
  out.append(reinterpret_cast<const char*>(text.data()), text.size() - 1);
}

/// HMAC-SHA256 with one key, any number of times.
class Hmac {
 public:
  using Sum = std::array<unsigned char, 32>;

  explicit Hmac(std::span<const unsigned char> key) {
    // Looked up once: a look-up costs more than the hash of a small body.
    static const Owned<EVP_MAC> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    context_.reset(EVP_MAC_CTX_new(algorithm.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (!context_ || EVP_MAC_init(context_.get(), key.data(), key.size(), parameters) != 1) fail();
  }

  /// Of both, one behind the other: so a large body is not copied behind its prefix.
  Sum sum(std::string_view first, std::string_view second) {
    Sum sum{};
    std::size_t length = 0;
    EVP_MAC_CTX* context = context_.get();
    // Without a key: begins again with the one it has.
    const bool done = EVP_MAC_init(context, nullptr, 0, nullptr) == 1 &&
                      EVP_MAC_update(context, bytes_of(first), first.size()) == 1 &&
                      EVP_MAC_update(context, bytes_of(second), second.size()) == 1 &&
                      EVP_MAC_final(context, sum.data(), &length, sum.size()) == 1;
    if (!done || length != sum.size()) fail();
    return sum;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("OpenSSL cannot compute an HMAC"); }

  Owned<EVP_MAC_CTX> context_;
};

/// Ed25519 (RFC 8032) with one key, any number of times.
class Ed25519 {
 public:
  using Signature = std::array<unsigned char, 64>;

  explicit Ed25519(const hub::Ed25519Bytes& seed)
      : key_(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())),
        context_(EVP_MD_CTX_new()) {
    if (!key_ || !context_) fail();
  }

  /// The algorithm reads its text twice, so it needs it in one piece.
  Signature sign(std::string_view first, std::string_view second) {
    std::string text;
    text.reserve(first.size() + second.size());
    text.append(first).append(second);
    Signature signature{};
    std::size_t length = signature.size();
    const bool done = EVP_DigestSignInit(context_.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                      EVP_DigestSign(context_.get(), signature.data(), &length, bytes_of(text), text.size()) == 1;
    if (!done || length != signature.size()) fail();
    return signature;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("OpenSSL cannot sign with Ed25519"); }

  Owned<EVP_PKEY> key_;
  Owned<EVP_MD_CTX> context_;
};

/// "webhook-id.webhook-timestamp."
std::string signed_prefix(std::string_view message_id, std::int64_t timestamp_s) {
  std::string prefix;
  prefix.reserve(message_id.size() + 22);
  prefix.append(message_id).append(".");
  hub::json::append_number(prefix, timestamp_s);
  prefix += '.';
  return prefix;
}

Hmac hmac_for(std::string_view secret) {
  const auto key = hub::webhook_secret_bytes(secret);
  if (!key) throw std::invalid_argument("a webhook secret is not whsec_ and base64");
  return Hmac(*key);
}

Ed25519 ed25519_for(std::string_view signing_key) {
  const auto seed = hub::signing_key_bytes(signing_key);
  if (!seed) throw std::invalid_argument("a webhook's signing key is not whsk_ and base64");
  return Ed25519(*seed);
}

void append_signature(std::string& out, Hmac& hmac, std::string_view prefix, std::string_view body) {
  out += "v1,";
  append_base64(out, hmac.sum(prefix, body));
}

}  // namespace

struct Signer::Keys {
  struct Generation {
    std::variant<Hmac, Ed25519> key;
    std::optional<hub::UnixMs> valid_until;
  };

  std::vector<Generation> generations;
  std::string newest_secret;
  std::optional<Hmac> legacy;  ///< from when it is first asked for: few endpoints do
};

Signer::Signer(const std::vector<hub::WebhookSecret>& secrets) : keys_(std::make_unique<Keys>()) {
  if (secrets.empty()) throw std::invalid_argument("a webhook has no secret");
  keys_->generations.reserve(secrets.size());
  for (const hub::WebhookSecret& secret : secrets) {
    if (secret.signing_key.empty()) {
      keys_->generations.push_back({hmac_for(secret.secret), secret.valid_until});
    } else {
      keys_->generations.push_back({ed25519_for(secret.signing_key), secret.valid_until});
    }
  }
  keys_->newest_secret = secrets.front().secret;
}

Signer::~Signer() = default;
Signer::Signer(Signer&&) noexcept = default;
Signer& Signer::operator=(Signer&&) noexcept = default;

std::string Signer::signature(std::string_view message_id, std::int64_t timestamp_s, std::string_view body,
                              hub::UnixMs now) {
  const std::string prefix = signed_prefix(message_id, timestamp_s);
  std::string out;
  for (Keys::Generation& generation : keys_->generations) {
    if (generation.valid_until && now >= *generation.valid_until) continue;
    if (!out.empty()) out += ' ';
    if (auto* hmac = std::get_if<Hmac>(&generation.key)) {
      append_signature(out, *hmac, prefix, body);
    } else {
      out += "v1a,";
      append_base64(out, std::get<Ed25519>(generation.key).sign(prefix, body));
    }
  }
  return out;
}

std::string Signer::legacy_signature(std::string_view body) {
  static constexpr std::string_view digits = "0123456789abcdef";
  const std::string& secret = keys_->newest_secret;
  if (!keys_->legacy) keys_->legacy.emplace(std::span(bytes_of(secret), secret.size()));
  std::string out = "sha256=";
  for (const unsigned char byte : keys_->legacy->sum(body, {})) {
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

}  // namespace carillon::channels::webhook
