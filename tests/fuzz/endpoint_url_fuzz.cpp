// Registration of a webhook's URL: whatever comes in, it is judged; and what is taken is what libcurl, which will
// follow it, reads without a question: http or https, one host, no user, a port that exists, and the same again when it
// is written down and read back.
#include <curl/curl.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "channels/webhook/endpoint_url.h"
#include "hub/utf8.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon;
using namespace carillon::channels::webhook;
using carillon::fuzz::must;

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
  must(url.size() <= url_bytes_max && url.find('\0') == std::string::npos);
  const Parsed parsed(url, 0);
  must(parsed.sound());
  const auto scheme = parsed.part(CURLUPART_SCHEME);
  must(scheme == "https" || (scheme == "http" && policy.allow_http));
  const auto host = parsed.part(CURLUPART_HOST);
  must(host && !host->empty());
  must(!parsed.part(CURLUPART_USER) && !parsed.part(CURLUPART_PASSWORD) && !parsed.part(CURLUPART_OPTIONS));
  must(!parsed.part(CURLUPART_ZONEID) && !parsed.part(CURLUPART_FRAGMENT));
  const auto port = parsed.part(CURLUPART_PORT, CURLU_DEFAULT_PORT);
  must(port && std::stol(*port) >= 1 && std::stol(*port) <= 65535);

  // As a transfer reads it (CURLOPT_URL), and as it reads it back.
  const Parsed transferred(url, CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
  must(transferred.part(CURLUPART_HOST) == host && transferred.part(CURLUPART_SCHEME) == scheme);
  const auto written = parsed.part(CURLUPART_URL);
  must(written.has_value());
  const Parsed again(*written, 0);
  must(again.part(CURLUPART_HOST) == host && again.part(CURLUPART_SCHEME) == scheme);
  must(again.part(CURLUPART_PORT, CURLU_DEFAULT_PORT) == port);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string url(reinterpret_cast<const char*>(data), size);
  for (const bool allow_http : {false, true}) {
    const UrlPolicy policy{allow_http};
    const auto fault = url_fault(url, policy);
    if (!fault) check_taken(url, policy);
    if (fault) must(!fault->empty() && fault->size() <= 256 && hub::is_utf8(*fault));
  }
  return 0;
}
