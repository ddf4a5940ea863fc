#include "hub/clock.h"

#include <array>
#include <chrono>

namespace carillon::hub {
namespace {

/// Writes `value` with leading zeros, `digits` wide.
char* put(char* out, unsigned value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    out[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return out + digits;
}

void append_rfc3339(std::string& to, UnixMs time, bool with_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> point{std::chrono::milliseconds{time}};
  const auto day = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{point - day};
  std::array<char, 32> text{};
  char* out = put(text.data(), static_cast<unsigned>(static_cast<int>(date.year())), 4);
  *out++ = '-';
  out = put(out, static_cast<unsigned>(date.month()), 2);
  *out++ = '-';
  out = put(out, static_cast<unsigned>(date.day()), 2);
  *out++ = 'T';
  out = put(out, static_cast<unsigned>(clock.hours().count()), 2);
  *out++ = ':';
  out = put(out, static_cast<unsigned>(clock.minutes().count()), 2);
  *out++ = ':';
  out = put(out, static_cast<unsigned>(clock.seconds().count()), 2);
  if (with_ms) {
    *out++ = '.';
    out = put(out, static_cast<unsigned>(clock.subseconds().count()), 3);
  }
  *out++ = 'Z';
  to.append(text.data(), static_cast<std::size_t>(out - text.data()));
}

}  // namespace

UnixMs SystemClock::now_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string rfc3339_seconds(UnixMs time) {
  std::string out;
  append_rfc3339(out, time, false);
  return out;
}

std::string rfc3339_ms(UnixMs time) {
  std::string out;
  append_rfc3339(out, time, true);
  return out;
}

void append_rfc3339_ms(std::string& out, UnixMs time) { append_rfc3339(out, time, true); }

}  // namespace carillon::hub
