#include "app/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace carillon::app {
namespace {

/// What a key, or a value in a query string, is made of: everything up to the next delimiter.
bool ends_secret(char c) {
  return static_cast<unsigned char>(c) <= ' ' || std::string_view{"&\"'#;,)]}<>\\"}.find(c) != std::string_view::npos;
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += hex[byte >> 4U];
      out += hex[byte & 0xfU];
    } else {
      out += c;
    }
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

/// A value in the text format: quoted only where it could be misread.
void append_value(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f;
  });
  if (plain) {
    out += text;
  } else {
    append_quoted(out, text);
  }
}

/// False where the descriptor does not take it.
bool write_whole(int fd, std::string_view line) {
  while (!line.empty()) {
    const ssize_t written = ::write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

std::string mask_secrets(std::string_view text) {
  // Of a match, the opening stays, so that a reader sees what was taken out.
  static constexpr std::array<std::string_view, 4> openings = {"api_key=", "sk_live_", "whsec_", "whsk_"};
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    std::size_t at = std::string_view::npos;
    std::size_t opening_size = 0;
    for (const std::string_view opening : openings) {
      const std::size_t found = text.find(opening);
      if (found < at) {
        at = found;
        opening_size = opening.size();
      }
    }
    if (at == std::string_view::npos) break;
    out += text.substr(0, at + opening_size);
    out += "***";
    text.remove_prefix(at + opening_size);
    text.remove_prefix(static_cast<std::size_t>(std::find_if(text.begin(), text.end(), ends_secret) - text.begin()));
  }
  out += text;
  return out;
}

std::string_view to_text(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "error";
}

Log::Log(LogFormat format, LogLevel level, const hub::Clock& clock, int fd)
    : format_(format), level_(level), clock_(clock), fd_(fd) {}

Log::Log(const Settings& settings, const hub::Clock& clock)
    : Log(settings.log.format, settings.log.level, clock, STDERR_FILENO) {}

void Log::error(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::error, message, fields);
}
void Log::warning(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::warning, message, fields);
}
void Log::info(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::info, message, fields);
}
void Log::debug(std::string_view message, std::initializer_list<LogField> fields) const {
  write(LogLevel::debug, message, fields);
}

void Log::write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (!writes(level)) return;
  const std::string time = hub::rfc3339_ms(clock_.now_ms());
  std::string line;
  if (format_ == LogFormat::json) {
    line += R"({"time":")" + time + R"(","level":")";
    line += to_text(level);
    line += R"(","message":)";
    append_quoted(line, mask_secrets(message));
    for (const LogField& field : fields) {
      line += ',';
      append_quoted(line, field.key());
      line += ':';
      if (field.quoted()) {
        append_quoted(line, mask_secrets(field.text()));
      } else {
        line += field.text();
      }
    }
    line += '}';
  } else {
    line += time;
    line += ' ';
    line += to_text(level);
    line += ' ';
    append_escaped(line, mask_secrets(message));
    for (const LogField& field : fields) {
      line += ' ';
      line += field.key();
      line += '=';
      append_value(line, mask_secrets(field.text()));
    }
  }
  line += '\n';
  const std::lock_guard lock(mutex_);
  if (!write_whole(fd_, line)) ++all_dropped;
}

}  // namespace carillon::app
