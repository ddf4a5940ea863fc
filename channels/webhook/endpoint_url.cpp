#include "channels/webhook/endpoint_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace carillon::channels::webhook {
namespace {

using Fault = std::optional<std::string>;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex_digit(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool are_all(std::string_view text, bool (*is_one)(char)) { return std::all_of(text.begin(), text.end(), is_one); }

bool parses(int family, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return inet_pton(family, std::string(text).c_str(), bytes.data()) == 1;
}

/// RFC 3986 wants all of these escaped. "[" and "]" it would, too, behind the host, but queries are full of them.
Fault character_fault(std::string_view url) {
  for (const char c : url) {
    if (static_cast<unsigned char>(c) >= 0x80) {
      return "holds a character beyond ASCII: write a host in punycode (xn--…), and escape what else there is (%C3%A4)";
    }
    if (c <= 0x20 || c == 0x7F || std::string_view(R"("<>\^`{|})").find(c) != std::string_view::npos) {
      return "holds a blank or another character that must be escaped";
    }
  }
  return std::nullopt;
}

bool begins_with(std::string_view url, std::string_view scheme) {
  return url.size() >= scheme.size() && std::equal(scheme.begin(), scheme.end(), url.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + ('a' - 'A')) : b);
         });
}

Fault port_fault(std::string_view port) {
  if (port.empty()) return "names no port behind the colon";
  unsigned number = 0;  // as good as any other wrong one, where it is not read
  if (port.size() <= 5 && are_all(port, is_digit)) std::from_chars(port.data(), port.data() + port.size(), number);
  if (number < 1 || number > 65535) return "names a port that is none: it must be from 1 to 65535";
  return std::nullopt;
}

Fault name_fault(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);  // as good as without, and some have a reason to write it
  if (name.size() > host_name_bytes_max) {
    return "names a host that is longer than " + std::to_string(host_name_bytes_max) + " bytes";
  }
  std::string_view rest = name;
  while (true) {
    const std::string_view label = rest.substr(0, rest.find('.'));
    if (label.empty()) return "names a host with nothing before a dot";
    if (label.size() > host_label_bytes_max) {
      return "names a host with more than " + std::to_string(host_label_bytes_max) + " bytes between two dots";
    }
    if (!are_all(label, [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; })) {
      return "names a host with a character that no host's name has";
    }
    if (label.size() == rest.size()) return std::nullopt;
    rest.remove_prefix(label.size() + 1);
  }
}

/// A name that ends so is meant as an IPv4 address, by all who resolve names.
bool ends_in_a_number(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (last.starts_with("0x") || last.starts_with("0X")) return are_all(last.substr(2), is_hex_digit);
  return are_all(last, is_digit);
}

/// "host:port", or what else stands between "//" and the path.
Fault authority_fault(std::string_view authority) {
  if (authority.find('@') != std::string_view::npos) return "must not hold a user name or password";
  const bool is_literal = authority.starts_with('[');
  if (authority.find('%') != std::string_view::npos) {
    return is_literal ? "must not name a zone (%) with its address" : "must not escape (%) anything in the host";
  }
  const std::size_t host_end = is_literal ? authority.find(']') + 1 : std::min(authority.find(':'), authority.size());
  const std::string_view host = authority.substr(0, host_end);
  if (host.empty()) return is_literal ? "names a host in brackets that is no IPv6 address" : "names no host";
  if (is_literal && !parses(AF_INET6, host.substr(1, host.size() - 2))) {
    return "names a host in brackets that is no IPv6 address";
  }
  if (!is_literal) {
    if (auto fault = name_fault(host)) return fault;
  }
  const std::string_view behind = authority.substr(host_end);
  if (behind.empty()) return std::nullopt;
  if (!behind.starts_with(':')) return "names a host with something behind its bracket";
  return port_fault(behind.substr(1));
}

/// A URL as the library reads it that will follow it.
class CurlUrl {
 public:
  explicit CurlUrl(const std::string& text)
      : handle_(curl_url()), code_(curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), 0)) {}

  Fault fault() const {
    if (code_ == CURLUE_OK) return std::nullopt;
    return std::string("is no URL that can be followed: ") + curl_url_strerror(code_);
  }

  std::string host() const {
    char* text = nullptr;
    if (curl_url_get(handle_.get(), CURLUPART_HOST, &text, 0) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  struct Free {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
  };
  std::unique_ptr<CURLU, Free> handle_;
  CURLUcode code_;
};

}  // namespace

std::optional<std::string> url_fault(std::string_view url, const UrlPolicy& policy) {
  if (url.empty()) return "is empty";
  if (url.size() > url_bytes_max) return "is longer than " + std::to_string(url_bytes_max) + " bytes";
  if (auto fault = character_fault(url)) return fault;
  const bool is_https = begins_with(url, "https://");
  if (!is_https && !(policy.allow_http && begins_with(url, "http://"))) {
    return policy.allow_http ? "must begin with https:// or http://" : "must begin with https://";
  }
  if (url.find('#') != std::string_view::npos) return "must not hold a fragment (#)";
  const std::string_view behind_scheme = url.substr(url.find("//") + 2);
  const std::string_view authority = behind_scheme.substr(0, behind_scheme.find_first_of("/?"));
  if (auto fault = authority_fault(authority)) return fault;
  const CurlUrl followed{std::string(url)};
  if (auto fault = followed.fault()) return fault;
  const std::string host = followed.host();
  if (ends_in_a_number(host) && !parses(AF_INET, host))
    return "names a host that ends like an IPv4 address and is none";
  return std::nullopt;
}

}  // namespace carillon::channels::webhook
