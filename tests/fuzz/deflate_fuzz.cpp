// permessage-deflate: inflating what a stranger sends stays within its bound; what the hub deflates inflates to the
// same; and a handshake's offers are read without harm.
//
// Input: one byte that says which of the three, one more for its parameters, then the bytes it is about.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/websocket/deflate.h"
#include "channels/websocket/deflate_offer.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon::channels::websocket;
using carillon::fuzz::must;

constexpr std::size_t input_bytes_max = 64 * 1024;

void inflate(std::string_view payload, unsigned parameter) {
  // One for all, as in a hub's loop: whatever one message did to it, the next must not notice.
  static Inflater inflater;
  const std::size_t bytes_max = parameter * 64U;
  std::string message;
  const auto outcome = inflater.inflate(payload, bytes_max, message);
  must(message.size() <= bytes_max);

  Inflater fresh;
  std::string again;
  must(fresh.inflate(payload, bytes_max, again) == outcome);
  must(outcome != Inflater::Outcome::done || again == message);
}

void round_trip(std::string_view message, unsigned parameter) {
  static Inflater inflater;
  const int level = 1 + static_cast<int>(parameter % 9);
  const int window_bits = deflate_window_bits_min + static_cast<int>(parameter / 9 % 7);
  Deflater deflater(level, window_bits);
  const auto payload = deflater.deflate(message);
  if (!payload) return;
  must(payload->size() < message.size());
  std::string again;
  must(inflater.inflate(*payload, message.size(), again) == Inflater::Outcome::done);
  must(again == message);
}

void read_offers(std::string_view field) {
  std::optional<DeflateAgreement> agreement;
  agree_on_deflate(field, agreement);
  if (!agreement) return;
  must(agreement->window_bits() >= 8 && agreement->window_bits() <= window_bits_max);
  // The answer has the form of an offer, and says the same.
  std::optional<DeflateAgreement> again;
  must(agree_on_deflate(to_field_value(*agreement), again) && again);
  must(again->server_window_bits == agreement->server_window_bits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > input_bytes_max) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  switch (data[0] % 3) {
    case 0:
      inflate(bytes, data[1]);
      break;
    case 1:
      round_trip(bytes, data[1]);
      break;
    default:
      read_offers(bytes);
  }
  return 0;
}
