#include "storage/secret_box.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "hub/id.h"
#include "hub/sha256.h"
#include "hub/store.h"

namespace carillon::storage {
namespace {

constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;
constexpr std::size_t key_text_chars = 44;  // base64 of 32 bytes

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
int length_of(std::string_view text) { return static_cast<int>(text.size()); }

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0) : fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& what, const std::string& file, const std::string& why) {
  throw hub::StoreError("cannot " + what + " the key of the webhook secrets, " + file + ": " + why);
}
[[noreturn]] void fail(const std::string& what, const std::string& file) { fail(what, file, std::strerror(errno)); }

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Under its name only when it is whole and on disk: a machine that stops meanwhile leaves no half a key.
void write_new_file(const std::string& path, std::string_view text) {
  const std::string draft = path + ".new";
  unlink(draft.c_str());  // of a start that was cut off: nothing is sealed with it
  {
    const File file(draft, O_WRONLY | O_CREAT | O_EXCL, S_IRUSR | S_IWUSR);
    if (!file.is_open() || !write_all(file.fd(), text) || fsync(file.fd()) != 0) fail("write", path);
  }
  int renamed = renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE);
  if (renamed != 0 && errno == EINVAL) renamed = std::rename(draft.c_str(), path.c_str());  // some file systems cannot
  if (renamed != 0) fail("write", path);
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File entry(folder, O_RDONLY | O_DIRECTORY);
  if (!entry.is_open() || fsync(entry.fd()) != 0) fail("write", path);
}

std::string read_file(const std::string& path) {
  const File file(path, O_RDONLY);
  if (!file.is_open()) fail("read", path);
  std::array<char, 2 * key_text_chars> text{};
  std::size_t length = 0;
  for (;;) {
    const ssize_t got = read(file.fd(), text.data() + length, text.size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", path);
    if (got == 0 || length == text.size()) break;
    length += static_cast<std::size_t>(got);
  }
  std::string whole(text.data(), length);
  OPENSSL_cleanse(text.data(), text.size());
  while (whole.ends_with('\n') || whole.ends_with('\r')) whole.pop_back();
  return whole;
}

using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

CipherContext make_context() { return {EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free}; }

}  // namespace

SecretBox SecretBox::plain() { return {}; }

SecretBox SecretBox::with_key_in(const std::string& file) {
  std::string text = read_file(file);
  // 33 bytes: OpenSSL counts the padding as one.
  std::array<unsigned char, 33> bytes{};
  const bool sound = text.size() == key_text_chars && text.back() == '=' && text[key_text_chars - 2] != '=' &&
                     EVP_DecodeBlock(bytes.data(), bytes_of(text), length_of(text)) == static_cast<int>(bytes.size());
  OPENSSL_cleanse(text.data(), text.size());
  if (!sound) fail("read", file, "it does not hold a key, which is 32 bytes written as base64");
  SecretBox box;
  box.seals_ = true;
  std::copy_n(bytes.begin(), box.key_.size(), box.key_.begin());
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return box;
}

SecretBox SecretBox::with_new_key_in(const std::string& file) {
  SecretBox box;
  box.seals_ = true;
  hub::random_bytes(box.key_.data(), box.key_.size());
  std::array<unsigned char, key_text_chars + 1> text{};  // OpenSSL writes a NUL behind it, where the line ends
  EVP_EncodeBlock(text.data(), box.key_.data(), static_cast<int>(box.key_.size()));
  text.back() = '\n';
  write_new_file(file, {reinterpret_cast<const char*>(text.data()), text.size()});
  OPENSSL_cleanse(text.data(), text.size());
  return box;
}

SecretBox::~SecretBox() { OPENSSL_cleanse(key_.data(), key_.size()); }

SecretBox::Mark SecretBox::keyed_hash(std::string_view purpose, std::string_view text) const {
  // A purpose ends with a NUL, so no purpose and text can be read as another purpose with another text.
  std::string message(purpose);
  message.append(1, '\0').append(text);
  Mark hash{};
  unsigned length = hash.size();
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes_of(message), message.size(), hash.data(),
           &length) == nullptr) {
    std::abort();  // no OpenSSL that Carillon runs with is without SHA-256
  }
  OPENSSL_cleanse(message.data(), message.size());
  return hash;
}

std::string SecretBox::key_id() const {
  if (!seals_) return "";
  static constexpr std::string_view hex = "0123456789abcdef";
  static constexpr std::size_t id_bytes = 16;
  const Mark hash = keyed_hash("key id", "");
  std::string id;
  for (std::size_t i = 0; i < id_bytes; ++i) {
    id += hex[hash[i] >> 4U];
    id += hex[hash[i] & 0x0FU];
  }
  return id;
}

SecretBox::Mark SecretBox::mark(std::string_view text) const {
  if (seals_) return keyed_hash("mark", text);
  return hub::sha256(text);
}

SecretBox::Bytes SecretBox::seal(std::string_view text, std::string_view place) const {
  if (!seals_) return {text.begin(), text.end()};
  Bytes sealed(nonce_bytes + text.size() + tag_bytes);
  hub::random_bytes(sealed.data(), nonce_bytes);
  const auto context = make_context();
  int length = 0;
  unsigned char* const cipher = sealed.data() + nonce_bytes;
  if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), sealed.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &length, bytes_of(place), length_of(place)) != 1 ||
      EVP_EncryptUpdate(context.get(), cipher, &length, bytes_of(text), length_of(text)) != 1 ||
      EVP_EncryptFinal_ex(context.get(), cipher + text.size(), &length) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, cipher + text.size()) != 1) {
    std::abort();  // out of memory, or an OpenSSL without AES: to go on would be to keep a secret unsealed
  }
  return sealed;
}

std::optional<std::string> SecretBox::open(std::string_view sealed, std::string_view place) const {
  if (!seals_) return std::string(sealed);
  if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
  const std::string_view cipher = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
  std::array<unsigned char, tag_bytes> tag{};
  std::copy(sealed.end() - tag_bytes, sealed.end(), tag.begin());
  std::string text(cipher.size(), '\0');
  auto* const out = reinterpret_cast<unsigned char*>(text.data());
  const auto context = make_context();
  int length = 0;
  if (!context || EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key_.data(), bytes_of(sealed)) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &length, bytes_of(place), length_of(place)) != 1 ||
      EVP_DecryptUpdate(context.get(), out, &length, bytes_of(cipher), length_of(cipher)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context.get(), out + text.size(), &length) != 1) {
    return std::nullopt;
  }
  return text;
}

}  // namespace carillon::storage
