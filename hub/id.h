// The identities of the hub: small values, never strings, so that one cannot be passed for another.
//
// Threads: values; safe anywhere.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::hub {

/// A job's UUID (RFC 9562, section 4): 16 bytes in network order, any version. Shown in lower case with hyphens.
struct JobId {
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const JobId&, const JobId&) = default;
  friend auto operator<=>(const JobId&, const JobId&) = default;

  /// Takes the 36-character form in either case; anything else is no job id.
  static std::optional<JobId> parse(std::string_view text);

  /// A new version 4 id from the operating system's random numbers.
  static JobId random();

  /// Writes exactly `text_bytes` characters.
  void write(char* out) const;
  std::string text() const;

  static constexpr std::size_t text_bytes = 36;
};

/// Job ids are chosen by clients, so a table of them is hashed with a seed of this process that no client knows.
struct JobIdHash {
  std::size_t operator()(const JobId& id) const noexcept;
};

/// A number with a name: `Tag` keeps one kind from standing in for another.
template <typename Tag>
struct NumberId {
  std::int64_t value = 0;

  friend bool operator==(const NumberId&, const NumberId&) = default;
  friend auto operator<=>(const NumberId& a, const NumberId& b) { return a.value <=> b.value; }
};

struct KeyTag {
  static constexpr std::string_view prefix = "key_";
};
struct AccountTag {
  static constexpr std::string_view prefix = "acc_";
};
struct EndpointTag {
  static constexpr std::string_view prefix = "we_";
};
struct DeliveryTag {
  static constexpr std::string_view prefix = "dlv_";
};
struct JobPlaceTag {
  static constexpr std::string_view prefix = "jobs_";
};
struct EventPlaceTag {
  static constexpr std::string_view prefix = "events_";
};

/// A key's public id stays when its secret is rotated. Random, so that ids tell nothing of how many there are.
using KeyId = NumberId<KeyTag>;
using AccountId = NumberId<AccountTag>;
using EndpointId = NumberId<EndpointTag>;
/// Deliveries are numbered in the order they were written.
using DeliveryId = NumberId<DeliveryTag>;

/// A job's place in the order of submission.
using JobPlace = NumberId<JobPlaceTag>;

/// An event's place in the hub's whole history: strictly increasing, from 1; 0 stands before the first.
using Seq = std::int64_t;

/// The public form, `key_` and so on with the number in base 62, and back. What has another prefix, or a number no id
/// can have, is none.
template <typename Tag>
std::string to_text(NumberId<Tag> id);
template <typename Tag>
std::optional<NumberId<Tag>> parse_id(std::string_view text);

/// A new random id, never 0.
template <typename Tag>
NumberId<Tag> random_id();

std::uint64_t random_number();
void random_bytes(void* out, std::size_t bytes);

/// `count` random characters of [0-9A-Za-z], each of the 62 as likely as any other.
std::string random_base62(std::size_t count);

namespace detail {
std::string number_to_text(std::string_view prefix, std::int64_t value);
std::optional<std::int64_t> number_from_text(std::string_view prefix, std::string_view text);
std::int64_t random_positive();
}  // namespace detail

template <typename Tag>
std::string to_text(NumberId<Tag> id) {
  return detail::number_to_text(Tag::prefix, id.value);
}

template <typename Tag>
std::optional<NumberId<Tag>> parse_id(std::string_view text) {
  const auto value = detail::number_from_text(Tag::prefix, text);
  if (!value) return std::nullopt;
  return NumberId<Tag>{*value};
}

template <typename Tag>
NumberId<Tag> random_id() {
  return NumberId<Tag>{detail::random_positive()};
}

}  // namespace carillon::hub

template <typename Tag>
struct std::hash<carillon::hub::NumberId<Tag>> {
  std::size_t operator()(carillon::hub::NumberId<Tag> id) const noexcept {
    return static_cast<std::size_t>(static_cast<std::uint64_t>(id.value) * 0x9E3779B97F4A7C15ULL);
  }
};
