#include "channels/webhook/signer.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <vector>

#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

std::string encode(const unsigned char* bytes, std::size_t count) {
  std::string text((count + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a NUL behind it
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(count));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

struct FreeMac {
  void operator()(EVP_MAC* mac) const { EVP_MAC_free(mac); }
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

/// HMAC-SHA256 over pieces, so that a large body is not copied behind its prefix.
class Hmac {
 public:
  explicit Hmac(const std::vector<std::uint8_t>& key) {
    // Looked up once: a look-up costs more than the hash of a small body.
    static const std::unique_ptr<EVP_MAC, FreeMac> algorithm(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    context_.reset(EVP_MAC_CTX_new(algorithm.get()));
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (!context_ || EVP_MAC_init(context_.get(), key.data(), key.size(), parameters) != 1) fail();
  }

  void add(std::string_view bytes) {
    if (EVP_MAC_update(context_.get(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()) != 1) fail();
  }

  std::array<unsigned char, 32> finish() {
    std::array<unsigned char, 32> sum{};
    std::size_t length = 0;
    if (EVP_MAC_final(context_.get(), sum.data(), &length, sum.size()) != 1) fail();
    return sum;
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("OpenSSL cannot compute an HMAC"); }

  std::unique_ptr<EVP_MAC_CTX, FreeMac> context_;
};

}  // namespace

std::string signature(std::string_view secret, std::string_view message_id, std::int64_t timestamp_s,
                      std::string_view body) {
  const auto key = hub::webhook_secret_bytes(secret);
  if (!key) throw std::invalid_argument("a webhook secret is not whsec_ and base64");
  Hmac hmac(*key);
  hmac.add(message_id);
  hmac.add(".");
  hmac.add(std::to_string(timestamp_s));
  hmac.add(".");
  hmac.add(body);
  const auto sum = hmac.finish();
  return "v1," + encode(sum.data(), sum.size());
}

}  // namespace carillon::channels::webhook
