#include "hub/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace carillon::hub {

Sha256 sha256(std::string_view bytes) {
  Sha256 hash{};
  unsigned length = 0;
  // Fetched once: with OpenSSL 3, looking the algorithm up costs more than hashing 50 bytes.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  if (EVP_Digest(bytes.data(), bytes.size(), hash.data(), &length, algorithm, nullptr) != 1 || length != hash.size()) {
    std::abort();  // a libcrypto without SHA-256 can authenticate nobody
  }
  return hash;
}

}  // namespace carillon::hub
