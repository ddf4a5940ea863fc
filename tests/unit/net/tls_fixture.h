// What the tests of TLS share: a certificate made for the run, and a client that is OpenSSL's own over a socket pair.
#pragma once

#include <Poco/Net/StreamSocketImpl.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "net/tls_context.h"

namespace carillon::net {

/// A folder that goes with the object.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "carillon-tls-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

inline KeyPtr make_test_key() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

inline void write_key(const std::string& path, EVP_PKEY* key, const char* passphrase = nullptr) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  const int bytes = passphrase == nullptr ? 0 : static_cast<int>(std::string(passphrase).size());
  ASSERT_EQ(PEM_write_PKCS8PrivateKey(file, key, passphrase == nullptr ? nullptr : EVP_aes_128_cbc(), passphrase, bytes,
                                      nullptr, nullptr),
            1);
  std::fclose(file);
}

/// Self-signed; valid for an hour from `from_s` on, counted from now.
inline void write_certificate(const std::string& path, EVP_PKEY* key, long from_s = -60) {
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  X509_set_version(made.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), from_s);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), from_s + 3600);
  X509_set_pubkey(made.get(), key);
  X509_NAME* const name = X509_get_subject_name(made.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(made.get(), name);
  ASSERT_NE(X509_sign(made.get(), key, EVP_sha256()), 0);
  std::FILE* const file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(PEM_write_X509(file, made.get()), 1);
  std::fclose(file);
}

/// A certificate and its key, as files.
struct TestCertificate {
  TestCertificate() : key(make_test_key()) {
    write_key(files.key, key.get());
    write_certificate(files.certificate, key.get());
  }

  TestFolder folder;
  TlsFiles files{folder.file("cert.pem"), folder.file("key.pem")};
  KeyPtr key;
};

/// Two ends of a connection: the transport under test, and a client. Neither blocks.
class TlsPair {
 public:
  /// `buffer_bytes` is what the kernel keeps for each direction, about; 0 leaves it what it is.
  explicit TlsPair(const TlsContext& context, int version = TLS1_3_VERSION, int buffer_bytes = 0)
      : client_context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    for (const int end : ends) {
      if (buffer_bytes != 0) {
        EXPECT_EQ(setsockopt(end, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes), 0);
      }
    }
    server_ = context.make_transport(Poco::Net::StreamSocket(new Poco::Net::StreamSocketImpl(ends[0])));
    client_fd_ = ends[1];
    SSL_CTX_set_min_proto_version(client_context_.get(), version);
    SSL_CTX_set_max_proto_version(client_context_.get(), version);
    SSL_CTX_set_mode(client_context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    client_.reset(SSL_new(client_context_.get()));
    SSL_set_fd(client_.get(), client_fd_);
    SSL_set_connect_state(client_.get());
  }
  ~TlsPair() {
    client_.reset();
    hang_up();
  }
  TlsPair(const TlsPair&) = delete;
  TlsPair& operator=(const TlsPair&) = delete;

  Transport& server() { return *server_; }
  SSL* client() { return client_.get(); }
  int client_fd() const { return client_fd_; }
  void drop_server() { server_.reset(); }
  std::unique_ptr<Transport> take_server() { return std::move(server_); }
  void hang_up() {
    if (client_fd_ >= 0) close(client_fd_);
    client_fd_ = -1;
  }

  /// Both, until the client is through; the server has nothing to give meanwhile.
  void shake_hands() {
    std::array<char, 64> nothing{};
    for (int i = 0; i < 1000 && SSL_do_handshake(client()) != 1; ++i) {
      ASSERT_EQ(server().read(nothing.data(), nothing.size()).status, Transport::Status::would_block);
    }
    ASSERT_EQ(SSL_is_init_finished(client()), 1);
    ASSERT_EQ(server().read(nothing.data(), nothing.size()).status, Transport::Status::would_block);
  }

  /// What the client can read now.
  std::string client_reads() {
    std::string all;
    std::array<char, 64 * 1024> piece;
    std::size_t got = 0;
    while (SSL_read_ex(client(), piece.data(), piece.size(), &got) == 1) all.append(piece.data(), got);
    return all;
  }

  /// All of it, however small the kernel's buffers are: what the server reads meanwhile is appended to `server_reads`.
  void client_writes(std::string_view text, std::string& server_reads) {
    while (!text.empty()) {
      std::size_t written = 0;
      if (SSL_write_ex(client(), text.data(), text.size(), &written) == 1) {
        text.remove_prefix(written);
      } else {
        ASSERT_EQ(SSL_get_error(client(), 0), SSL_ERROR_WANT_WRITE);
        read_all(server_reads);
      }
    }
  }

  /// As a connection does: until nothing comes. Returns how it ended.
  Transport::Status read_all(std::string& into) {
    std::array<char, 1000> piece;
    while (true) {
      const auto result = server().read(piece.data(), piece.size());
      if (result.status != Transport::Status::done) return result.status;
      into.append(piece.data(), result.bytes);
      if (result.bytes < piece.size() && !server().has_buffered()) return Transport::Status::would_block;
    }
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_context_;
  std::unique_ptr<Transport> server_;
  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, SslFree> client_;
  int client_fd_ = -1;
};

}  // namespace carillon::net
