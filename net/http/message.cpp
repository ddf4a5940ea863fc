#include "net/http/message.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <algorithm>

namespace carillon::net::http {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string decode(std::string_view text) {
  std::string escaped(text);
  std::replace(escaped.begin(), escaped.end(), '+', ' ');  // Poco does so only behind a '?'
  std::string plain;
  try {
    Poco::URI::decode(escaped, plain);
  } catch (const Poco::Exception&) {
    return escaped;  // a '%' that begins no escape stands for itself
  }
  return plain;
}

}  // namespace

std::string_view to_text(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
    case Method::other:
      return "other";
  }
  return {};
}

Method parse_method(std::string_view text) {
  for (const auto method :
       {Method::get, Method::patch, Method::post, Method::put, Method::del, Method::head, Method::options}) {
    if (to_text(method) == text) return method;
  }
  return Method::other;
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::optional<std::string_view> Request::field(std::string_view name) const {
  for (const Field& candidate : fields) {
    if (same_name(candidate.name, name)) return candidate.value;
  }
  return std::nullopt;
}

std::optional<std::string> Request::query_member(std::string_view name) const {
  for (std::string_view rest = query; !rest.empty();) {
    const std::size_t end = rest.find('&');
    const std::string_view member = rest.substr(0, end);
    const std::size_t equals = member.find('=');
    if (decode(member.substr(0, equals)) == name) {
      return equals == std::string_view::npos ? std::string() : decode(member.substr(equals + 1));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return std::nullopt;
}

std::vector<QueryMember> Request::query_members() const {
  std::vector<QueryMember> members;
  for (std::string_view rest = query; !rest.empty();) {
    const std::size_t end = rest.find('&');
    const std::string_view member = rest.substr(0, end);
    const std::size_t equals = member.find('=');
    if (!member.empty()) {
      members.push_back({decode(member.substr(0, equals)),
                         equals == std::string_view::npos ? std::string() : decode(member.substr(equals + 1))});
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return members;
}

Response& Response::with(std::string_view name, std::string_view value) {
  fields.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

Response json_response(int status, Body body) { return {status, json_type, {}, std::move(body)}; }

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace carillon::net::http
