#include "hub/clock.h"

#include <array>
#include <chrono>
#include <ctime>
#include <mutex>

#include "hub/even_time.h"

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

/// Takes a text apart from its front. Once something is not what it should be, all that follows is not either.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : rest_(text) {}

  unsigned number(std::size_t digits) {
    unsigned value = 0;
    if (rest_.size() < digits) return fail();
    for (const char c : rest_.substr(0, digits)) {
      if (!is_digit(c)) return fail();
      value = value * 10 + static_cast<unsigned>(c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }

  /// One of these characters; 0 where another stands.
  char one_of(std::string_view wanted) {
    if (rest_.empty() || wanted.find(rest_.front()) == std::string_view::npos) return static_cast<char>(fail());
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  bool at(char c) const { return rest_.starts_with(c); }

  /// The digits of a fraction, in thousandths.
  unsigned thousandths() {
    unsigned value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits) {
      if (digits < 3) value = value * 10 + static_cast<unsigned>(rest_[digits] - '0');
    }
    if (digits == 0) return fail();
    for (std::size_t i = digits; i < 3; ++i) value *= 10;
    rest_.remove_prefix(digits);
    return value;
  }

  bool sound_to_the_end() const { return sound_ && rest_.empty(); }

 private:
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  unsigned fail() {
    sound_ = false;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool sound_ = true;
};

}  // namespace

std::optional<UnixMs> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  TimeReader reader(text);
  const unsigned year_number = reader.number(4);
  reader.one_of("-");
  const unsigned month_number = reader.number(2);
  reader.one_of("-");
  const year_month_day date{year(static_cast<int>(year_number)), month(month_number), day(reader.number(2))};
  reader.one_of("Tt");
  const unsigned hour = reader.number(2);
  reader.one_of(":");
  const unsigned minute = reader.number(2);
  reader.one_of(":");
  const unsigned second = reader.number(2);
  unsigned fraction_ms = 0;
  if (reader.at('.')) {
    reader.one_of(".");
    fraction_ms = reader.thousandths();
  }
  minutes offset{0};
  if (const char sign = reader.one_of("Zz+-"); sign == '+' || sign == '-') {
    const unsigned offset_hour = reader.number(2);
    reader.one_of(":");
    const unsigned offset_minute = reader.number(2);
    if (offset_hour > 23 || offset_minute > 59) return std::nullopt;
    offset = hours(offset_hour) + minutes(offset_minute);
    if (sign == '-') offset = -offset;
  }
  if (!reader.sound_to_the_end() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const sys_seconds minute_begins = sys_days(date) + hours(hour) + minutes(minute) - offset;
  if (second == 60 && minute_begins - floor<days>(minute_begins) != hours(23) + minutes(59)) return std::nullopt;
  return duration_cast<milliseconds>((minute_begins + seconds(second)).time_since_epoch()).count() + fraction_ms;
}

struct SystemClock::Even {
  std::mutex mutex;
  EvenTime time;
};

SystemClock::SystemClock() : even_(std::make_unique<Even>()) {}
SystemClock::~SystemClock() = default;

UnixMs SystemClock::even_ms() const {
  constexpr std::int64_t ms_per_s = 1'000;
  constexpr std::int64_t ns_per_ms = 1'000'000;
  const std::lock_guard lock(even_->mutex);
  timespec steady{};
  clock_gettime(CLOCK_BOOTTIME, &steady);  // which goes on while the machine sleeps
  return even_->time.read(now_ms(), steady.tv_sec * ms_per_s + steady.tv_nsec / ns_per_ms);
}

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
