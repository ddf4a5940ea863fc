#include "hub/id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>

namespace carillon::hub {
namespace {

constexpr std::string_view base62_digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view hex_digits = "0123456789abcdef";

/// What a hexadecimal digit in either case stands for; not_hex for anything else.
constexpr unsigned not_hex = 0x10;
constexpr auto hex_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_hex);
  for (unsigned digit = 0; digit < 16; ++digit) {
    const auto lower = static_cast<unsigned char>(hex_digits[digit]);
    values[lower] = static_cast<std::uint8_t>(digit);
    if (digit >= 10) values[lower - 0x20U] = static_cast<std::uint8_t>(digit);
  }
  return values;
}();

/// Where in the text each byte's two digits stand: 8-4-4-4-12.
constexpr std::array<std::uint8_t, 16> digit_places{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};
constexpr std::array<std::uint8_t, 4> hyphen_places{8, 13, 18, 23};

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

}  // namespace

std::optional<JobId> JobId::parse(std::string_view text) {
  if (text.size() != text_bytes) return std::nullopt;
  for (const std::size_t place : hyphen_places) {
    if (text[place] != '-') return std::nullopt;
  }
  JobId id;
  unsigned seen = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    const unsigned high = hex_values[static_cast<unsigned char>(text[digit_places[i]])];
    const unsigned low = hex_values[static_cast<unsigned char>(text[digit_places[i] + 1U])];
    seen |= high | low;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
  }
  if ((seen & not_hex) != 0) return std::nullopt;
  return id;
}

JobId JobId::random() {
  JobId id;
  random_bytes(id.bytes.data(), id.bytes.size());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0FU) | 0x40U);  // RFC 9562, section 5.4: version 4
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3FU) | 0x80U);  // and the variant of section 4.1
  return id;
}

void JobId::write(char* out) const {
  for (const std::size_t place : hyphen_places) out[place] = '-';
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[digit_places[i]] = hex_digits[bytes[i] >> 4U];
    out[digit_places[i] + 1U] = hex_digits[bytes[i] & 0x0FU];
  }
}

std::string JobId::text() const {
  std::string out(text_bytes, '\0');
  write(out.data());
  return out;
}

std::size_t JobIdHash::operator()(const JobId& id) const noexcept {
  static const std::uint64_t seed_a = random_number();
  static const std::uint64_t seed_b = random_number();
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  std::memcpy(&a, id.bytes.data(), sizeof a);
  std::memcpy(&b, id.bytes.data() + sizeof a, sizeof b);
  return static_cast<std::size_t>(mix(a ^ seed_a, b ^ seed_b));
}

namespace {

void system_random_bytes(void* out, std::size_t bytes) {
  auto* place = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = getrandom(place, bytes, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();  // no kernel that Carillon runs on is without getrandom(2); without it no key would be safe
    }
    place += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

/// Random bytes of the system's, fetched many at a time: an id is a few of them, and not worth a call of the kernel.
class RandomPool {
 public:
  static constexpr std::size_t taken_bytes_max = 64;

  void take(void* out, std::size_t bytes) {
    if (left_ < bytes) {
      system_random_bytes(pool_.data(), pool_.size());
      left_ = pool_.size();
    }
    left_ -= bytes;
    std::memcpy(out, pool_.data() + left_, bytes);
    std::memset(pool_.data() + left_, 0, bytes);  // what became a secret is nowhere else
  }

 private:
  std::array<std::uint8_t, 1024> pool_{};
  std::size_t left_ = 0;
};

}  // namespace

void random_bytes(void* out, std::size_t bytes) {
  if (bytes > RandomPool::taken_bytes_max) return system_random_bytes(out, bytes);
  thread_local RandomPool pool;
  pool.take(out, bytes);
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  random_bytes(&number, sizeof number);
  return number;
}

std::string random_base62(std::size_t count) {
  std::string out;
  out.reserve(count);
  std::array<std::uint8_t, 64> pool{};
  while (out.size() < count) {
    random_bytes(pool.data(), pool.size());
    for (const std::uint8_t byte : pool) {
      // 248 is the largest multiple of 62 in a byte: what lies above would make the first digits likelier.
      if (byte < 248 && out.size() < count) out += base62_digits[byte % 62];
    }
  }
  return out;
}

namespace detail {

std::string number_to_text(std::string_view prefix, std::int64_t value) {
  std::string digits;
  for (auto rest = static_cast<std::uint64_t>(value); rest != 0 || digits.empty(); rest /= 62) {
    digits += base62_digits[rest % 62];
  }
  std::reverse(digits.begin(), digits.end());
  return std::string(prefix) + digits;
}

std::optional<std::int64_t> number_from_text(std::string_view prefix, std::string_view text) {
  if (!text.starts_with(prefix)) return std::nullopt;
  text.remove_prefix(prefix.size());
  if (text.empty() || text.size() > 11) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;  // one id has one form
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = base62_digits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    // 11 digits of base 62 pass 2^63 but not 2^66, so the overflow is looked for before it happens.
    if (value > (std::numeric_limits<std::uint64_t>::max() - digit) / 62) return std::nullopt;
    value = value * 62 + digit;
  }
  if (value == 0 || value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::int64_t random_positive() {
  for (;;) {
    const auto value = static_cast<std::int64_t>(random_number() >> 1U);
    if (value != 0) return value;
  }
}

}  // namespace detail
}  // namespace carillon::hub
