#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "net/tls_transport.h"

namespace carillon::net {
namespace {

/// Forward secrecy and authenticated encryption, nothing else. The client chooses among them, for it knows whether it
/// has AES in hardware; those of TLS 1.3 are all of that kind.
constexpr const char* ciphers_of_tls_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* groups = "X25519:P-256:P-384";

/// The one protocol that is spoken inside, as ALPN writes it: a length and the name (RFC 7301).
constexpr std::array<unsigned char, 9> alpn_http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

/// What OpenSSL says of its last failure; its queue is empty afterwards.
std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "unknown" : reason;
}

std::string read_file(const std::string& path, const std::string& what) {
  errno = 0;
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || text.bad()) {
    throw std::runtime_error("cannot read " + what + " " + path + ": " + std::strerror(errno != 0 ? errno : EIO));
  }
  return std::move(text).str();
}

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;
using X509Ptr = std::unique_ptr<X509, X509Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

BioPtr over(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

/// A server has nobody to ask for a passphrase.
int no_passphrase(char* /*into*/, int /*bytes*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

/// The first certificate; what follows it is the chain.
X509Ptr use_certificates(SSL_CTX* context, const std::string& path) {
  const std::string text = read_file(path, "the certificate file");
  const BioPtr pem = over(text);
  X509Ptr first(PEM_read_bio_X509_AUX(pem.get(), nullptr, nullptr, nullptr));
  if (!first) throw std::runtime_error("no certificate (PEM) in " + path + ": " + openssl_reason());
  if (SSL_CTX_use_certificate(context, first.get()) != 1)
    throw std::runtime_error("the certificate in " + path + " cannot be used: " + openssl_reason());
  while (true) {
    X509Ptr next(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1)
      throw std::runtime_error("the chain in " + path + " cannot be used: " + openssl_reason());
    (void)next.release();  // the context's now
  }
  // The file ends where no other block begins; anything else is a block that is broken.
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_LIB(end) != ERR_LIB_PEM || ERR_GET_REASON(end) != PEM_R_NO_START_LINE)
    throw std::runtime_error("the chain in " + path + " is broken: " + openssl_reason());
  ERR_clear_error();
  return first;
}

void use_key(SSL_CTX* context, const TlsFiles& files, X509* certificate) {
  const std::string text = read_file(files.key, "the key file");
  bool passphrase_asked = false;
  const KeyPtr key(PEM_read_bio_PrivateKey(over(text).get(), nullptr, no_passphrase, &passphrase_asked));
  if (passphrase_asked) throw std::runtime_error("the key in " + files.key + " is encrypted: a hub cannot open it");
  if (!key) throw std::runtime_error("no private key (PEM) in " + files.key + ": " + openssl_reason());
  if (X509_check_private_key(certificate, key.get()) != 1 || SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    throw std::runtime_error("the key in " + files.key + " does not fit the certificate in " + files.certificate +
                             ": " + openssl_reason());
  }
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return timegm(&parts);
}

/// A client that names protocols, and not this one, is told so by the alert that RFC 7301 has for it: it would speak
/// something else. One that names none is taken to speak HTTP/1.1.
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_bytes,
                    const unsigned char* offered, unsigned offered_bytes, void* /*unused*/) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, chosen_bytes, alpn_http_1_1.data(), alpn_http_1_1.size(), offered, offered_bytes) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

/// Called when the version is agreed, before anything is answered. A ticket of TLS 1.2 would carry the session's secret
/// over the wire under a key that lives as long as the context; those of TLS 1.3 open nothing without a new exchange.
int refuse_old_tickets(SSL* ssl, void* /*unused*/) {
  if (SSL_version(ssl) < TLS1_3_VERSION) SSL_set_options(ssl, SSL_OP_NO_TICKET);
  return 1;
}

}  // namespace

TlsContext::TlsContext(const TlsFiles& files) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
  SSL_CTX* const context = context_.get();
  if (context == nullptr) throw std::runtime_error("cannot make a TLS context: " + openssl_reason());
  // What this machine's OpenSSL may not offer would show here.
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, ciphers_of_tls_1_2) != 1 || SSL_CTX_set1_groups_list(context, groups) != 1) {
    throw std::runtime_error("cannot set up TLS: " + openssl_reason());
  }
  // IGNORE_UNEXPECTED_EOF: all that is spoken inside says its own length, so a stream that ends without close_notify,
  // as many do, is an end like another.
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  // A record's head and body in one recv(2).
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  SSL_CTX_set_cert_cb(context, refuse_old_tickets, nullptr);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);

  ERR_clear_error();
  const X509Ptr certificate = use_certificates(context, files.certificate);
  use_key(context, files, certificate.get());
  valid_from_s_ = seconds_of(X509_get0_notBefore(certificate.get()));
  valid_until_s_ = seconds_of(X509_get0_notAfter(certificate.get()));
}

std::unique_ptr<Transport> TlsContext::make_transport(const Poco::Net::StreamSocket& socket) const {
  return make_tls_transport(socket, context_);
}

}  // namespace carillon::net
