#include "net/http/head.h"

#include <algorithm>
#include <array>
#include <limits>

#include "net/http/field_list.h"

namespace carillon::net::http {
namespace {

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}
constexpr auto token_table = make_token_table();

constexpr std::array<bool, 256> make_host_table() {
  std::array<bool, 256> table{};
  for (unsigned c = 0x21; c < 0x7F; ++c) table[c] = true;
  for (const char c : std::string_view("/?#@\\<>\"{}|^`,")) table[static_cast<unsigned char>(c)] = false;
  return table;
}
constexpr auto host_table = make_host_table();

constexpr bool is_token_char(char c) { return token_table[static_cast<unsigned char>(c)]; }

// These look at every byte, whatever they find: without a way out of the loop the compiler takes many at once.

/// What a field's value may hold (RFC 9110, section 5.5).
bool is_value(std::string_view text) {
  bool sound = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    sound &= (byte >= 0x20 && byte != 0x7F) || byte == '\t';
  }
  return sound;
}

/// What a target may hold (RFC 3986, section 2, leniently): visible ASCII, but no fragment, which is the client's own.
bool is_target(std::string_view text) {
  bool sound = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    sound &= byte > 0x20 && byte < 0x7F && c != '#';
  }
  return sound;
}

HeadResult refuse(std::string_view detail, int status = 400) { return {HeadState::refused, status, detail}; }
constexpr HeadResult sound{HeadState::complete};

bool same_or_absent_port(std::string_view port) {
  for (const char c : port) {
    if (c < '0' || c > '9') return false;
  }
  return port.size() <= 5;
}

/// RFC 9112, section 3.2: `uri-host [":" port]`; what could not be one is refused.
bool is_host(std::string_view host) {
  if (host.empty()) return true;
  std::size_t name_end = 0;
  if (host.front() == '[') {
    name_end = host.find(']');
    if (name_end == std::string_view::npos) return false;
    ++name_end;
  } else {
    name_end = host.find(':');
    if (name_end == std::string_view::npos) name_end = host.size();
  }
  for (const char c : host.substr(0, name_end)) {
    if (!host_table[static_cast<unsigned char>(c)]) return false;
  }
  if (name_end == host.size()) return true;
  return host[name_end] == ':' && same_or_absent_port(host.substr(name_end + 1));
}

/// `METHOD SP target SP HTTP/1.x`, with single blanks (RFC 9112, section 3).
HeadResult read_request_line(std::string_view line, Head& head) {
  const std::size_t method_end = line.find(' ');
  if (method_end == std::string_view::npos) return refuse("The request line is not 'METHOD target HTTP/1.1'.");
  head.method_text = line.substr(0, method_end);
  if (!is_token(head.method_text)) return refuse("The method is not a token.");
  head.method = parse_method(head.method_text);

  const std::size_t target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return refuse("The request line is not 'METHOD target HTTP/1.1'.");
  head.target = line.substr(method_end + 1, target_end - method_end - 1);
  if (head.target.empty()) return refuse("The request target is empty.");
  if (!is_target(head.target)) return refuse("The request target holds a character that must be escaped.");

  const std::string_view version = line.substr(target_end + 1);
  if (version == "HTTP/1.1") {
    head.minor_version = 1;
  } else if (version == "HTTP/1.0") {
    head.minor_version = 0;
  } else if (version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' && version[5] >= '2' &&
             version[5] <= '9') {
    return refuse("This server speaks HTTP/1.1.", 505);
  } else {
    return refuse("The request line does not end with HTTP/1.1.");
  }

  std::string_view path = head.target;
  if (path.front() != '/') {
    // The absolute form, which every server must take (RFC 9112, section 3.2.2).
    const std::size_t scheme_end = path.find("://");
    const bool absolute = scheme_end != std::string_view::npos && (same_name(path.substr(0, scheme_end), "http") ||
                                                                   same_name(path.substr(0, scheme_end), "https"));
    if (absolute) {
      // Whom it names goes before Host (section 3.2.2); nobody is none (RFC 9110, section 4.2.1), and a user before it
      // is none of ours (section 4.2.4).
      const std::size_t path_at = std::min(path.find_first_of("/?", scheme_end + 3), path.size());
      const std::string_view authority = path.substr(scheme_end + 3, path_at - scheme_end - 3);
      if (authority.empty() || authority.front() == ':' || !is_host(authority)) {
        return refuse("The request target names no host.");
      }
      path.remove_prefix(path_at);
    } else if (path != "*" || head.method != Method::options) {
      return refuse("The request target must begin with '/'.");
    }
  }
  const std::size_t query_at = path.find('?');
  head.path = path.substr(0, query_at);
  if (head.path.empty()) head.path = "/";
  head.query = query_at == std::string_view::npos ? std::string_view() : path.substr(query_at + 1);
  return sound;
}

HeadResult read_content_length(std::string_view value, Head& head) {
  if (value.empty()) return refuse("Content-Length is empty.");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return refuse("Content-Length is not a number.");
    if (length > (std::numeric_limits<std::uint64_t>::max() - 9) / 10) return refuse("Content-Length is too large.");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  head.content_length = length;
  return sound;
}

/// The fields that say where the message ends and who is meant.
struct Seen {
  bool host = false;
  bool length = false;
  bool transfer_encoding = false;
};

HeadResult note_field(const Field& field, Head& head, Seen& seen) {
  const std::string_view name = field.name;
  switch (name.size()) {
    case 4:
      if (same_name(name, "host")) {
        if (seen.host) return refuse("There are two Host fields.");
        if (!is_host(field.value)) return refuse("Host is not a host.");
        seen.host = true;
      }
      break;
    case 6:
      if (same_name(name, "expect")) {
        if (!same_name(field.value, "100-continue")) return refuse("This expectation cannot be met.", 417);
        head.expects_continue = head.minor_version == 1;
      }
      break;
    case 10:
      if (same_name(name, "connection")) {
        if (list_has(field.value, "close")) head.keep_alive = false;
        if (head.minor_version == 0 && list_has(field.value, "keep-alive")) head.keep_alive = true;
      }
      break;
    case 14:
      if (same_name(name, "content-length")) {
        if (seen.length) return refuse("There are two Content-Length fields.");
        seen.length = true;
        return read_content_length(field.value, head);
      }
      break;
    case 17:
      if (same_name(name, "transfer-encoding")) {
        if (seen.transfer_encoding) return refuse("There are two Transfer-Encoding fields.");
        if (head.minor_version == 0) return refuse("HTTP/1.0 knows no Transfer-Encoding.");
        if (!same_name(field.value, "chunked")) return refuse("The only Transfer-Encoding taken is chunked.", 501);
        seen.transfer_encoding = true;
      }
      break;
    default:
      break;
  }
  return sound;
}

HeadResult read_field(std::string_view line, Head& head, Seen& seen) {
  if (is_blank(line.front())) return refuse("A header line begins with a blank (obsolete folding).");
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == line.size()) return refuse("A header line has no colon.");
  if (line[colon] != ':') {
    return refuse(is_blank(line[colon]) ? "A blank stands before a header's colon."
                                        : "A header's name holds a character that no name may have.");
  }
  if (colon == 0) return refuse("A header has no name.");
  const Field field{line.substr(0, colon), trim(line.substr(colon + 1))};
  if (!is_value(field.value)) return refuse("A header's value holds a control character.");
  head.fields.push_back(field);
  return note_field(field, head, seen);
}

/// Where the line that starts at `at` ends: at CR LF. A CR or LF alone is refused as soon as it is seen.
HeadResult find_line_end(std::string_view bytes, std::size_t at, std::size_t& end) {
  end = bytes.find('\r', at);
  const std::size_t feed = bytes.substr(0, end).find('\n', at);
  if (feed != std::string_view::npos) return refuse("A line ends without a carriage return.");
  if (end == std::string_view::npos || end + 1 == bytes.size()) return {HeadState::incomplete};
  if (bytes[end + 1] != '\n') return refuse("A carriage return stands alone.");
  return sound;
}

}  // namespace

bool is_token(std::string_view text) {
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return !text.empty();
}

bool is_visible_ascii(std::string_view text) {
  bool visible = true;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    visible &= byte > 0x20 && byte < 0x7F;
  }
  return visible;
}

HeadResult read_head(std::string_view bytes, const HeadLimits& limits, Head& head) {
  // RFC 9112, section 2.2: an empty line before a request is passed over; one will do.
  std::size_t at = bytes.starts_with("\r\n") ? 2 : 0;
  const auto too_long = [&] { return bytes.size() > limits.head_bytes_max; };
  const std::size_t line_at = at;
  std::size_t end = 0;
  HeadResult result = find_line_end(bytes, at, end);
  if (result.state == HeadState::incomplete && too_long()) return refuse("The request line is too long.", 414);
  if (result.state != HeadState::complete) return result;
  if (end > limits.head_bytes_max) return refuse("The request line is too long.", 414);
  head.fields.clear();
  head.framing = Framing::none;
  head.content_length = 0;
  head.expects_continue = false;
  result = read_request_line(bytes.substr(line_at, end - line_at), head);
  if (result.state != HeadState::complete) return result;
  head.keep_alive = head.minor_version == 1;

  Seen seen;
  for (at = end + 2;; at = end + 2) {
    result = find_line_end(bytes, at, end);
    if ((result.state == HeadState::incomplete && too_long()) ||
        (result.state == HeadState::complete && end + 2 > limits.head_bytes_max)) {
      return refuse("The request's head is too long.", 431);
    }
    if (result.state != HeadState::complete) return result;
    if (end == at) break;
    if (head.fields.size() == limits.fields_max) return refuse("The request has too many header fields.", 431);
    result = read_field(bytes.substr(at, end - at), head, seen);
    if (result.state != HeadState::complete) return result;
  }
  head.bytes = end + 2;

  if (!seen.host && head.minor_version == 1) return refuse("There is no Host field.");
  if (seen.length && seen.transfer_encoding) return refuse("There are both Content-Length and Transfer-Encoding.");
  if (seen.transfer_encoding) head.framing = Framing::chunked;
  if (seen.length) head.framing = Framing::length;
  return sound;
}

}  // namespace carillon::net::http
