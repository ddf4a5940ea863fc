// The log: one line a happening, to standard error or wherever it is pointed, as text or as JSON.
//
//   2026-11-23T17:42:05.123Z info serving address=127.0.0.1:8080 loops=2
//   {"time":"2026-11-23T17:42:05.123Z","level":"info","message":"serving","address":"127.0.0.1:8080","loops":2}
//
// No secret gets into it: whatever is written goes through mask_secrets() first, query strings included.
//
// Threads: a Log may be used from any thread; lines never mix. Writing blocks while the descriptor does.
#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>

#include "app/settings.h"
#include "hub/clock.h"

namespace carillon::app {

/// A detail beside the message. Holds a view: to be made in the call that logs it.
class LogField {
 public:
  LogField(std::string_view key, std::string_view text) : key_(key), text_(text) {}
  template <typename Number, typename = std::enable_if_t<std::is_integral_v<Number>>>
  LogField(std::string_view key, Number number) : key_(key), bare_(to_bare(number)), text_(bare_), quoted_(false) {}
  LogField(const LogField&) = delete;
  LogField& operator=(const LogField&) = delete;

  std::string_view key() const { return key_; }
  std::string_view text() const { return text_; }
  /// False for numbers and truth values, which JSON writes bare.
  bool quoted() const { return quoted_; }

 private:
  template <typename Number>
  static std::string to_bare(Number number) {
    if constexpr (std::is_same_v<Number, bool>) {
      return number ? "true" : "false";
    } else {
      return std::to_string(number);
    }
  }

  std::string_view key_;
  std::string bare_;
  std::string_view text_;
  bool quoted_ = true;
};

class Log {
 public:
  /// Writes what is at least as grave as `level` to `fd`, which must stay open. Whatever `fd` answers, a call returns:
  /// a hub does not stop because nobody reads its log.
  Log(LogFormat format, LogLevel level, const hub::Clock& clock, int fd);
  /// To standard error, as the settings say.
  Log(const Settings& settings, const hub::Clock& clock);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void error(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) const;
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) const;

  /// From now on.
  void set_level(LogLevel level) { level_ = level; }

  /// To ask before something costly is put together for a line.
  bool writes(LogLevel level) const { return level <= level_.load(std::memory_order_relaxed); }

  /// Lines that a descriptor did not take, or not whole, of all logs of this process.
  static std::uint64_t lines_dropped() { return all_dropped.load(std::memory_order_relaxed); }

 private:
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;

  LogFormat format_;
  std::atomic<LogLevel> level_;
  const hub::Clock& clock_;
  int fd_;
  mutable std::mutex mutex_;
  static inline std::atomic<std::uint64_t> all_dropped{0};
};

std::string_view to_text(LogLevel level);

/// The text with API keys (`sk_live_…`), webhook secrets (`whsec_…`, `whsk_…`) and the values of `api_key=` replaced by
/// `***`.
std::string mask_secrets(std::string_view text);

}  // namespace carillon::app
