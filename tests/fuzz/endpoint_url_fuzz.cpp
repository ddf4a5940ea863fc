// Registration of a webhook's URL: whatever comes in, it is judged; and what is taken is what libcurl, which will
// follow it, reads without a question: http or https, one host, no user, a port that exists, and the same again when it
// is written down and read back.
#include <curl/curl.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "channels/webhook/endpoint_url.h"
#include "hub/utf8.h"

namespace {

using namespace carillon;
using namespace carillon::channels::webhook;

void require(bool holds) {
  if (!holds) std::abort();
}

class Parsed {
 public:
  Parsed(const std::string& url, unsigned flags) : handle_(curl_url()) {
    sound_ = curl_url_set(handle_, CURLUPART_URL, url.c_str(), flags) == CURLUE_OK;
  }
  ~Parsed() { curl_url_cleanup(handle_); }
  Parsed(const Parsed&) = delete;
  Parsed& operator=(const Parsed&) = delete;

  bool sound() const { return sound_; }

  std::optional<std::string> part(CURLUPart which, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_, which, &text, flags) != CURLUE_OK) return std::nullopt;
    std::string copy(text);
    curl_free(text);
    return copy;
  }

 private:
  CURLU* handle_;
  bool sound_ = false;
};

void check_taken(const std::string& url, const UrlPolicy& policy) {
  require(url.size() <= url_bytes_max && url.find('\0') == std::string::npos);
  const Parsed parsed(url, 0);
  require(parsed.sound());
  const auto scheme = parsed.part(CURLUPART_SCHEME);
  require(scheme == "https" || (scheme == "http" && policy.allow_http));
  const auto host = parsed.part(CURLUPART_HOST);
  require(host && !host->empty());
  require(!parsed.part(CURLUPART_USER) && !parsed.part(CURLUPART_PASSWORD) && !parsed.part(CURLUPART_OPTIONS));
  require(!parsed.part(CURLUPART_ZONEID) && !parsed.part(CURLUPART_FRAGMENT));
  const auto port = parsed.part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  require(port && std::stol(*port) >= 1 && std::stol(*port) <= 65535);

  // As a transfer reads it (CURLOPT_URL), and as it reads it back.
  const Parsed transferred(url, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
  require(transferred.part(CURLUPART_HOST) == host && transferred.part(CURLUPART_SCHEME) == scheme);
  const auto written = parsed.part(CURLUPART_URL);
  require(written.has_value());
  const Parsed again(*written, 0);
  require(again.part(CURLUPART_HOST) == host && again.part(CURLUPART_SCHEME) == scheme);
  require(again.part(CURLUPART_PORT, CURLU_DEFAULT_PORT) == port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string url(reinterpret_cast<const char*>(data), size);
  for (const bool allow_http : {false, true}) {
    const UrlPolicy policy{allow_http};
    const auto fault = url_fault(url, policy);
    if (!fault) check_taken(url, policy);
    if (fault) require(!fault->empty() && fault->size() <= 256 && hub::is_utf8(*fault));
  }
  return 0;
}
