#include "app/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "hub/json.h"

namespace carillon::app {
namespace {

constexpr long connect_timeout_ms = 5'000;

/// libcurl wants to be initialised once, before there are threads that use it; it may be asked more than once.
void init_libcurl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

std::size_t take_body(char* data, std::size_t, std::size_t bytes, void* body) {
  static_cast<std::string*>(body)->append(data, bytes);
  return bytes;
}

std::size_t take_field(char* data, std::size_t, std::size_t bytes, void* fields) {
  std::string_view line(data, bytes);
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bytes;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  line.remove_prefix(colon + 1);
  while (!line.empty() && static_cast<unsigned char>(line.front()) <= ' ') line.remove_prefix(1);
  while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
  (*static_cast<std::map<std::string, std::string>*>(fields))[name] = std::string(line);
  return bytes;
}

struct FieldList {
  ~FieldList() { curl_slist_free_all(head); }
  void add(const std::string& field) { head = curl_slist_append(head, field.c_str()); }
  curl_slist* head = nullptr;
};

bool reached(CURLcode code) {
  return code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST && code != CURLE_URL_MALFORMAT &&
         code != CURLE_UNSUPPORTED_PROTOCOL && code != CURLE_SSL_CONNECT_ERROR &&
         code != CURLE_PEER_FAILED_VERIFICATION;
}

}  // namespace

struct HttpClient::Handle {
  Handle() {
    init_libcurl();
    curl = curl_easy_init();
  }
  ~Handle() { curl_easy_cleanup(curl); }
  CURL* curl = nullptr;
};

HttpClient::HttpClient(std::string base, std::string unix_socket)
    : base_(std::move(base)), unix_socket_(std::move(unix_socket)), handle_(std::make_unique<Handle>()) {
  while (base_.ends_with('/')) base_.pop_back();
  if (handle_->curl == nullptr) throw std::runtime_error("libcurl cannot be initialised");
}

HttpClient::~HttpClient() = default;

HttpAnswer HttpClient::request(const std::string& method, const std::string& path, const std::string& body,
                               const std::vector<std::string>& fields) {
  CURL* curl = handle_->curl;
  curl_easy_reset(curl);  // the options; the connection is kept

  FieldList list;
  for (const std::string& field : always_) list.add(field);
  for (const std::string& field : fields) list.add(field);
  if (!body.empty()) list.add("Content-Type: application/json");

  HttpAnswer answer;
  std::array<char, CURL_ERROR_SIZE> why{};
  const std::string url = base_ + path;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!unix_socket_.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, unix_socket_.c_str());
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, answer_timeout_ms_);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why.data());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "carillon/" CARILLON_VERSION);
  if (method == "GET") {
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
  } else {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.c_str());
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
    if (body.empty()) list.add("Content-Type:");  // not the form that libcurl would announce
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list.head);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_field);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &answer.fields);

  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) throw NoAnswer(why[0] != '\0' ? why.data() : curl_easy_strerror(code), reached(code));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

std::string problem_text(const HttpAnswer& answer) {
  const auto body = hub::json::parse_object(answer.body);
  if (const auto* object = std::get_if<hub::json::Object>(&body)) {
    const auto* detail = object->find("detail");
    if (detail != nullptr && detail->is(hub::json::Kind::string)) return detail->string();
  }
  return "HTTP status " + std::to_string(answer.status);
}

}  // namespace carillon::app
