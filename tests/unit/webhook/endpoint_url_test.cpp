#include "channels/webhook/endpoint_url.h"

#include <curl/curl.h>
#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

using namespace std::string_literals;

constexpr UrlPolicy strict{};
constexpr UrlPolicy lenient{true};

/// The host that libcurl reads, with the flags of a transfer (CURLOPT_URL); "" where it refuses.
std::string host_for_curl(const std::string& url) {
  CURLU* handle = curl_url();
  std::string host;
  char* text = nullptr;
  if (curl_url_set(handle, CURLUPART_URL, url.c_str(), CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
      curl_url_get(handle, CURLUPART_HOST, &text, 0) == CURLUE_OK) {
    host = text;
    curl_free(text);
  }
  curl_url_cleanup(handle);
  return host;
}

struct Taken {
  std::string url;
  std::string host;  ///< as libcurl will read it
};

const std::string label_63(63, 'a');
const std::string name_253 = label_63 + "." + label_63 + "." + label_63 + "." + std::string(61, 'a');

TEST(EndpointUrl, TakesWhatCanBeFollowed) {
  const Taken all[] = {
      {"https://example.com", "example.com"},
      {"https://example.com/", "example.com"},
      {"https://example.com/hook?a=b&c[]=%20", "example.com"},
      {"https://example.com?a=b", "example.com"},
      {"https://example.com?a=b@c:d/e", "example.com"},
      {"https://example.com/a@b:c", "example.com"},
      {"https://example.com:8443/h", "example.com"},
      {"https://example.com:1/", "example.com"},
      {"https://example.com:65535", "example.com"},
      {"https://example.com:00443/", "example.com"},
      {"HTTPS://EXAMPLE.com/", "EXAMPLE.com"},
      {"hTtPs://example.com/", "example.com"},
      {"https://localhost", "localhost"},
      {"https://example.com./x", "example.com."},
      {"https://xn--bcher-kva.example/", "xn--bcher-kva.example"},
      {"https://a_b.example-1.com/", "a_b.example-1.com"},
      {"https://1e3.com/", "1e3.com"},
      {"https://0xg.com/", "0xg.com"},
      {"https://" + name_253 + "/", name_253},
      {"https://[2606:4700::1111]/x", "[2606:4700::1111]"},
      {"https://[2606:4700::1111]:8443", "[2606:4700::1111]"},
      {"https://[::ffff:8.8.8.8]/", "[::ffff:8.8.8.8]"},
      {"https://[0:0:0:0:0:0:0:1]/", "[::1]"},
      // Where it leads is the guard's to judge; these are what libcurl makes of them.
      {"https://8.8.8.8/", "8.8.8.8"},
      {"https://127.1/", "127.0.0.1"},
      {"https://0x7f.1:8443/", "127.0.0.1"},
      {"https://2130706433/", "127.0.0.1"},
      {"https://017700000001/", "127.0.0.1"},
      {"https://0/", "0.0.0.0"},
  };
  for (const auto& [url, host] : all) {
    EXPECT_EQ(url_fault(url, strict), std::nullopt) << url;
    EXPECT_EQ(host_for_curl(url), host) << url;
  }
  EXPECT_EQ(url_fault("http://example.com/", lenient), std::nullopt);
  EXPECT_EQ(url_fault("https://example.com/", lenient), std::nullopt);
  EXPECT_EQ(url_fault("https://example.com/" + std::string(url_bytes_max - 20, 'x'), strict), std::nullopt);
}

TEST(EndpointUrl, SaysWhatIsWrong) {
  const std::string scheme = "must begin with https:// or http://";
  const std::string character = "holds a blank or another character that must be escaped";
  const std::string ascii =
      "holds a character beyond ASCII: write a host in punycode (xn--…), and escape what else there is (%C3%A4)";
  const std::string user = "must not hold a user name or password";
  const std::string port = "names a port that is none: it must be from 1 to 65535";
  const std::string zone = "must not name a zone (%) with its address";
  const std::string escape = "must not escape (%) anything in the host";
  const std::string fragment = "must not hold a fragment (#)";
  const std::string name = "names a host with a character that no host's name has";
  const std::string dot = "names a host with nothing before a dot";
  const std::string label = "names a host with more than 63 bytes between two dots";
  const std::string ipv4 = "names a host that ends like an IPv4 address and is none";
  const std::string ipv6 = "names a host in brackets that is no IPv6 address";
  const std::pair<std::string, std::string> all[] = {
      {"", "is empty"},
      {"https://example.com/" + std::string(url_bytes_max - 19, 'x'), "is longer than 2048 bytes"},
      // Schemes, and what hides one.
      {"example.com", scheme},
      {"//example.com", scheme},
      {"/hook", scheme},
      {"ftp://example.com/", scheme},
      {"file:///etc/passwd", scheme},
      {"gopher://example.com/", scheme},
      {"dict://example.com/", scheme},
      {"ws://example.com/", scheme},
      {"unix:///run/x", scheme},
      {"javascript:alert(1)", scheme},
      {"httpss://example.com/", scheme},
      {"https", scheme},
      {"https:", scheme},
      {"https:example.com", scheme},
      {"https:/example.com", scheme},
      {"url:https://example.com", scheme},
      // Characters.
      {"https://example.com/a b", character},
      {" https://example.com/", character},
      {"https://example.com/ ", character},
      {"https://exa\tmple.com/", character},
      {"https://example.com/\r\nx-y: z", character},
      {"https://example.com/\n", character},
      {"https://example.com/\0x"s, character},
      {"https://example.com/\x7f", character},
      {R"(https://example.com\@evil.example/)", character},
      {R"(https:\\example.com)", character},
      {R"(https://example.com/a\b)", character},
      {"https://example.com/<x>", character},
      {"https://example.com/{id}", character},
      {"https://example.com/\"", character},
      {"https://ex\xc3\xa4mple.com/", ascii},
      {"https://example.com/\xc3\xa4", ascii},
      {"https://example.com/\xff", ascii},
      {"https://example\xe3\x80\x82"
       "com/",
       ascii},  // an ideographic full stop, which some read as a dot
      // Users.
      {"https://user@example.com/", user},
      {"https://u:p@example.com/", user},
      {"https://@example.com/", user},
      {"https://:@example.com/", user},
      {"https://a@b@example.com/", user},
      {"https://example.com@127.0.0.1/", user},
      {"https://u%40v@example.com/", user},
      // Fragments.
      {"https://example.com/#x", fragment},
      {"https://example.com/#", fragment},
      {"https://example.com#@evil.example/", fragment},
      // No host.
      {"https://", "names no host"},
      {"https:///", "names no host"},
      {"https:///example.com/", "names no host"},
      {"https:////example.com/", "names no host"},
      {"https://?x", "names no host"},
      {"https://:443/", "names no host"},
      // Ports.
      {"https://example.com:/", "names no port behind the colon"},
      {"https://[::1]:", "names no port behind the colon"},
      {"https://example.com:0/", port},
      {"https://example.com:00000/", port},
      {"https://example.com:65536/", port},
      {"https://example.com:99999999999999999999/", port},
      {"https://example.com:000443/", port},
      {"https://example.com:+443/", port},
      {"https://example.com:-1/", port},
      {"https://example.com:0x50/", port},
      {"https://example.com:80:80/", port},
      {"https://example.com:https/", port},
      {"https://::1/", "names no host"},
      {"https://[::1]443/", "names a host with something behind its bracket"},
      // Escapes and zones.
      {"https://%65xample.com/", escape},
      {"https://example.com%00.evil.example/", escape},
      {"https://example.com%2f@evil.example/", user},
      {"https://127.0.0.1%3a80/", escape},
      {"https://[fe80::1%25eth0]/", zone},
      {"https://[fe80::1%eth0]/", zone},
      {"https://[fe80::1%1]:443/", zone},
      // Names.
      {"https://./", dot},
      {"https://../", dot},
      {"https://.example.com/", dot},
      {"https://example..com/", dot},
      {"https://example.com../", dot},
      {"https://a,b.com/", name},
      {"https://a;b.com/", name},
      {"https://a~b.com/", name},
      {"https://a!b.com/", name},
      {"https://a*.com/", name},
      {"https://]/", name},
      {"https://a[::1]/", name},
      {"https://" + label_63 + "a.com/", label},
      {"https://" + name_253 + "a/", "names a host that is longer than 253 bytes"},
      {"https://" + name_253 + "a./", "names a host that is longer than 253 bytes"},
      // What ends in a number.
      {"https://256.1.1.1/", ipv4},
      {"https://1.2.3.4.5/", ipv4},
      {"https://1.2.3.4./", ipv4},
      {"https://4294967296/", ipv4},
      {"https://0x100000000/", ipv4},
      {"https://0x/", ipv4},
      {"https://08.1.1.1/", ipv4},
      {"https://example.1/", ipv4},
      {"https://example.0x1F/", ipv4},
      // Brackets.
      {"https://[]/", ipv6},
      {"https://[::1", ipv6},
      {"https://[", ipv6},
      {"https://[1.2.3.4]/", ipv6},
      {"https://[v1.fe80]/", ipv6},
      {"https://[example.com]/", ipv6},
      {"https://[::1::]/", ipv6},
      {"https://[[::1]]/", ipv6},
  };
  for (const auto& [url, fault] : all) EXPECT_EQ(url_fault(url, lenient), fault) << url;
}

TEST(EndpointUrl, TakesPlainHttpOnlyWhereThatIsAllowed) {
  EXPECT_EQ(url_fault("http://example.com/", strict), "must begin with https://");
  EXPECT_EQ(url_fault("ftp://example.com/", strict), "must begin with https://");
  EXPECT_EQ(url_fault("http://example.com/", lenient), std::nullopt);
}

}  // namespace
}  // namespace carillon::channels::webhook
