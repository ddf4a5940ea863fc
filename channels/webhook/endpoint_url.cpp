#include "channels/webhook/endpoint_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

namespace carillon::channels::webhook {
namespace {

/// A URL, read by the library that will follow it, so that both understand it alike.
class Url {
 public:
  explicit Url(const std::string& text) : handle_(curl_url()) {
    sound_ = curl_url_set(handle_.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;
  }

  bool sound() const { return sound_; }

  /// Empty where there is none.
  std::string part(CURLUPart which) const {
    char* text = nullptr;
    if (curl_url_get(handle_.get(), which, &text, 0) != CURLUE_OK) return {};
    std::string copy(text);
    curl_free(text);
    return copy;
  }
  bool has(CURLUPart which) const {
    char* text = nullptr;
    const bool there = curl_url_get(handle_.get(), which, &text, 0) == CURLUE_OK;
    curl_free(text);
    return there;
  }

 private:
  struct Free {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
  };
  std::unique_ptr<CURLU, Free> handle_;
  bool sound_ = false;
};

}  // namespace

std::optional<std::string> url_fault(std::string_view url, const UrlPolicy& policy) {
  if (url.empty()) return "is empty";
  if (url.size() > url_bytes_max) return "is longer than " + std::to_string(url_bytes_max) + " bytes";
  if (!std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
    return "holds a blank or another character that must be escaped";
  }
  const Url parsed{std::string(url)};
  const char* schemes = policy.allow_http ? "must begin with https:// or http://" : "must begin with https://";
  if (!parsed.sound()) return std::string("is no URL: it ") + schemes + ", and then name a host";
  const std::string scheme = parsed.part(CURLUPART_SCHEME);
  if (scheme != "https" && !(scheme == "http" && policy.allow_http)) return schemes;
  if (!url.substr(scheme.size()).starts_with("://")) return schemes;
  // libcurl forgives a third slash, and takes what follows for the host.
  if (url.substr(scheme.size()).starts_with(":///") || parsed.part(CURLUPART_HOST).empty()) return "names no host";
  if (parsed.has(CURLUPART_USER) || parsed.has(CURLUPART_PASSWORD)) return "must not hold a user name or password";
  if (url.find('#') != std::string_view::npos) return "must not hold a fragment (#)";  // an empty one, too
  if (parsed.has(CURLUPART_PORT) && parsed.part(CURLUPART_PORT) == "0") return "names port 0";
  return std::nullopt;
}

}  // namespace carillon::channels::webhook
