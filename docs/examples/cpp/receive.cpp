// Receives webhooks: takes what the hub has signed and nothing else, and each event once.
//
//     g++ -std=c++20 -O2 -o receive receive.cpp -lPocoNet -lPocoJSON -lPocoFoundation -lcrypto
//     WEBHOOK_SECRET=whsec_... ./receive [PORT]
//
// Needs Poco and OpenSSL (Debian: libpoco-dev, libssl-dev).

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <iostream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

using Poco::JSON::Object;
using Poco::Net::HTTPServerRequest;
using Poco::Net::HTTPServerResponse;

constexpr std::time_t age_max_s = 300;
constexpr std::int64_t body_bytes_max = 2 << 20;  // the hub's webhooks.max_body is 1 MiB
constexpr std::size_t seen_max = 100'000;

std::string from_base64(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const auto* in = reinterpret_cast<const unsigned char*>(text.data());
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), in, static_cast<int>(text.size()));
  if (length < 0) throw std::invalid_argument("the secret is no base64");
  const auto padding = static_cast<std::size_t>(std::count(text.begin(), text.end(), '='));
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

std::string to_base64(const unsigned char* bytes, unsigned length) {
  std::string text((length + 2) / 3 * 4 + 1, '\0');  // with the NUL that is written behind it
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes, static_cast<int>(length));
  text.pop_back();
  return text;
}

/// Standard Webhooks 1.0.0. `body` is what came, byte for byte, before any parsing.
bool is_from_the_hub(const std::string& key, const HTTPServerRequest& request, const std::string& body) {
  const std::string sent_at = request.get("webhook-timestamp", "");
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (sent_at.empty() || sent_at.size() > 12 || !std::all_of(sent_at.begin(), sent_at.end(), is_digit)) return false;
  if (std::abs(std::time(nullptr) - std::stoll(sent_at)) > age_max_s) return false;

  const std::string text = request.get("webhook-id", "") + "." + sent_at + "." + body;
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), mac.data(), &length);
  const std::string wanted = "v1," + to_base64(mac.data(), length);

  // Two of them while a secret is replaced; one that fits is enough.
  std::istringstream signatures(request.get("webhook-signature", ""));
  for (std::string one; signatures >> one;) {
    if (one.size() == wanted.size() && CRYPTO_memcmp(one.data(), wanted.data(), one.size()) == 0) return true;
  }
  return false;
}

/// Quick, and safe on disk when it returns: what takes long goes into a queue of your own from here.
void handle(const Object& event) {
  const Object::Ptr data = event.getObject("data");
  std::cout << event.getValue<std::string>("type") << ' ' << data->optValue<std::string>("job_id", "-") << ' ';
  Poco::JSON::Stringifier::stringify(data->get("result"), std::cout);
  std::cout << std::endl;
}

/// Lets an event through once, by its webhook-id. Keeps the last ones in memory: a receiver that must not repeat work
/// over its own restarts keeps the id where it keeps the work, in the same transaction.
class Once {
 public:
  void handle(const std::string& id, const std::string& body) {
    const std::lock_guard lock(mutex_);
    if (seen_.contains(id)) return;
    ::handle(*Poco::JSON::Parser().parse(body).extract<Object::Ptr>());
    seen_.insert(id);  // now, not before: what failed is to come again
    in_order_.push_back(id);
    if (in_order_.size() <= seen_max) return;
    seen_.erase(in_order_.front());
    in_order_.pop_front();
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> seen_;
  std::deque<std::string> in_order_;
};

class Receiver : public Poco::Net::HTTPRequestHandler {
 public:
  Receiver(const std::string& key, Once& once) : key_(key), once_(once) {}

  void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
    response.setStatus(status_for(request));
    response.setContentLength(0);
    // A body that was not read is not to be taken for the next request.
    if (response.getStatus() != HTTPServerResponse::HTTP_NO_CONTENT) response.setKeepAlive(false);
    response.send();
  }

 private:
  Poco::Net::HTTPResponse::HTTPStatus status_for(HTTPServerRequest& request) {
    const std::int64_t length = request.getContentLength64();
    if (request.getMethod() != HTTPServerRequest::HTTP_POST) return HTTPServerResponse::HTTP_METHOD_NOT_ALLOWED;
    if (length < 0 || length > body_bytes_max) return HTTPServerResponse::HTTP_REQUEST_ENTITY_TOO_LARGE;
    std::string body(static_cast<std::size_t>(length), '\0');
    if (!request.stream().read(body.data(), length)) return HTTPServerResponse::HTTP_BAD_REQUEST;
    if (!is_from_the_hub(key_, request, body)) return HTTPServerResponse::HTTP_UNAUTHORIZED;
    try {
      once_.handle(request.get("webhook-id"), body);
    } catch (const std::exception& error) {
      std::cerr << error.what() << std::endl;  // whatever it is: the hub sends it again
      return HTTPServerResponse::HTTP_INTERNAL_SERVER_ERROR;
    }
    return HTTPServerResponse::HTTP_NO_CONTENT;
  }

  const std::string& key_;
  Once& once_;
};

class Receivers : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit Receivers(std::string key) : key_(std::move(key)) {}

  Poco::Net::HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override {
    return new Receiver(key_, once_);  // Poco deletes it
  }

 private:
  const std::string key_;
  Once once_;
};

int main(int argc, char** argv) try {
  const char* secret = std::getenv("WEBHOOK_SECRET");
  if (secret == nullptr || !std::string_view(secret).starts_with("whsec_"))
    throw std::invalid_argument("usage: WEBHOOK_SECRET=whsec_... receive [PORT]");
  std::string key = from_base64(std::string(secret).substr(6));

  // Before the server's threads are made, so that they inherit it: then the signals are this thread's to wait for.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const auto port = static_cast<Poco::UInt16>(argc > 1 ? std::stoi(argv[1]) : 8000);
  const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", port));
  Poco::Net::HTTPServer server(new Receivers(std::move(key)), socket, new Poco::Net::HTTPServerParams);
  server.start();
  std::cout << "listening on http://127.0.0.1:" << server.port() << "/" << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  server.stopAll(true);
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
