// The time of day, passed in: what a schedule or an expiry is reckoned from, so that a test can move it.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace carillon::hub {

/// Milliseconds since 1970-01-01T00:00:00Z.
using UnixMs = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual UnixMs now_ms() const = 0;
  /// The same, but for jumps: what is due after a while is reckoned and looked for by this one. What others see is
  /// stamped by now_ms().
  virtual UnixMs even_ms() const { return now_ms(); }
};

/// One for all who reckon with one another: what each has made of a jump is its own.
class SystemClock final : public Clock {
 public:
  SystemClock();
  ~SystemClock() override;
  SystemClock(const SystemClock&) = delete;
  SystemClock& operator=(const SystemClock&) = delete;

  UnixMs now_ms() const override;
  UnixMs even_ms() const override;

 private:
  struct Even;
  const std::unique_ptr<Even> even_;
};

/// RFC 3339 in UTC: "2026-11-23T17:42:05Z", or with milliseconds "2026-11-23T17:42:05.123Z".
std::string rfc3339_seconds(UnixMs time);
std::string rfc3339_ms(UnixMs time);
/// Appends it.
void append_rfc3339_ms(std::string& out, UnixMs time);

/// Reads RFC 3339, section 5.6, with any offset: "2026-11-23T18:42:05.5+01:00". What is finer than a millisecond is cut
/// off; a leap second (23:59:60 in UTC) is the second after it. None for anything else, a day that no calendar has
/// included.
std::optional<UnixMs> parse_rfc3339(std::string_view text);

}  // namespace carillon::hub
