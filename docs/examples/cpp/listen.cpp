// Follows jobs over WebSocket until each has ended. Tells all that happens to them, whatever cuts the connection.
//
//     g++ -std=c++20 -O2 -o listen listen.cpp -lPocoNetSSL -lPocoNet -lPocoJSON -lPocoFoundation
//     CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... ./listen JOB...
//
// Needs Poco (Debian: libpoco-dev).

#include <Poco/Buffer.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/RejectCertificateHandler.h>
#include <Poco/Net/SSLManager.h>
#include <Poco/Net/WebSocket.h>
#include <Poco/String.h>
#include <Poco/URI.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

using Poco::JSON::Object;
using Poco::Net::WebSocket;

constexpr int silence_max_s = 60;  // a heartbeat comes every 30 s: two that are missing mean that nobody is there
constexpr int delay_max_s = 30;
constexpr int message_bytes_max = 16 << 20;

/// Up to where a job was heard.
struct Place {
  std::int64_t after = 0;
  std::string epoch;
};
/// Of the jobs that have not ended; nothing for those of which nothing was heard yet.
using Places = std::map<std::string, std::optional<Place>>;

/// Another connection would fare no better.
struct Hopeless : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void show(const Object& update) {
  const auto status = update.getValue<std::string>("status");
  std::cout << update.getValue<std::string>("job_id") << ' ' << status;
  if (status == "succeeded") Poco::JSON::Stringifier::stringify(update.get("result"), std::cout << ' ');
  if (status == "failed") std::cout << ' ' << update.optValue<std::string>("error", "");
  std::cout << std::endl;
}

class Connection {
 public:
  Connection(const Poco::URI& hub, const std::string& key)
      : session_(session_to(hub)), socket_(*session_, request_with(key), response_) {
    socket_.setMaxPayloadSize(message_bytes_max);
    socket_.setReceiveTimeout(Poco::Timespan(silence_max_s, 0));
  }

  void send(const Object& message) {
    std::ostringstream text;
    message.stringify(text);
    socket_.sendFrame(text.str().data(), static_cast<int>(text.str().size()));
  }

  /// The next message; throws when the connection has ended or nothing is heard.
  Object::Ptr receive() {
    for (;;) {
      Poco::Buffer<char> buffer(0);
      int flags = 0;
      const int bytes = socket_.receiveFrame(buffer, flags);
      const int kind = flags & WebSocket::FRAME_OP_BITMASK;
      if (bytes <= 0 && flags == 0) throw Poco::IOException("the connection was cut");
      if (kind == WebSocket::FRAME_OP_PING)
        socket_.sendFrame(buffer.begin(), bytes,
                          static_cast<int>(WebSocket::FRAME_FLAG_FIN) | WebSocket::FRAME_OP_PONG);
      if (kind == WebSocket::FRAME_OP_CLOSE) throw_closed(std::string(buffer.begin(), buffer.size()));
      if (kind == WebSocket::FRAME_OP_TEXT)
        return Poco::JSON::Parser().parse(std::string(buffer.begin(), buffer.size())).extract<Object::Ptr>();
    }
  }

 private:
  static std::unique_ptr<Poco::Net::HTTPClientSession> session_to(const Poco::URI& hub) {
    if (hub.getScheme() == "https")
      return std::make_unique<Poco::Net::HTTPSClientSession>(hub.getHost(), hub.getPort());
    return std::make_unique<Poco::Net::HTTPClientSession>(hub.getHost(), hub.getPort());
  }

  Poco::Net::HTTPRequest& request_with(const std::string& key) {
    request_.set("X-API-Key", key);
    return request_;
  }

  [[noreturn]] static void throw_closed(const std::string& payload) {
    if (payload.size() < 2) throw Poco::IOException("closed");
    const int code = static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
    if (code == 4001) throw Hopeless("the hub refuses the key: " + payload.substr(2));
    throw Poco::IOException("closed with " + std::to_string(code) + " " + payload.substr(2));
  }

  std::unique_ptr<Poco::Net::HTTPClientSession> session_;
  Poco::Net::HTTPRequest request_{Poco::Net::HTTPRequest::HTTP_GET, "/api/v1/ws/jobs?resume=1",
                                  Poco::Net::HTTPMessage::HTTP_1_1};
  Poco::Net::HTTPResponse response_;
  WebSocket socket_;
};

/// Listens as long as the connection holds; `welcome` is set when the hub has let it in.
void listen(const Poco::URI& hub, const std::string& key, Places& places, bool& welcome) {
  Connection connection(hub, key);
  const auto epoch = connection.receive()->getValue<std::string>("epoch");  // of `connected`
  welcome = true;
  for (const auto& [job, place] : places) {
    Object subscribe;
    subscribe.set("action", "subscribe").set("job_id", job);
    if (place) subscribe.set("after", place->after).set("epoch", place->epoch);
    connection.send(subscribe);
  }
  while (!places.empty()) {
    const Object::Ptr message = connection.receive();
    const auto type = message->getValue<std::string>("type");
    if (type == "error") throw Hopeless(message->getValue<std::string>("message"));
    if (type != "job_update") continue;
    show(*message);
    const auto job = message->getValue<std::string>("job_id");
    const auto status = message->getValue<std::string>("status");
    if (status == "succeeded" || status == "failed") {
      places.erase(job);
    } else {
      places[job] = Place{message->getValue<std::int64_t>("seq"), epoch};
    }
  }
}

void follow(const Poco::URI& hub, const std::string& key, Places places) {
  std::minstd_rand random(std::random_device{}());
  int delay_s = 1;
  while (!places.empty()) {
    bool welcome = false;
    std::string why;
    try {
      listen(hub, key, places, welcome);
    } catch (const Poco::Exception& error) {
      why = error.displayText();
    }
    if (places.empty()) return;
    if (welcome) delay_s = 1;
    std::cerr << "not connected (" << why << "), again in " << delay_s << " s at most" << std::endl;
    std::uniform_int_distribution pause_ms(500 * delay_s, 1000 * delay_s);  // so that not all clients come at once
    std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms(random)));
    delay_s = std::min(2 * delay_s, delay_max_s);
  }
}

int main(int argc, char** argv) try {
  const char* url = std::getenv("CARILLON_URL");
  const char* key = std::getenv("CARILLON_KEY");
  if (argc < 2 || key == nullptr) throw Hopeless("usage: CARILLON_KEY=sk_live_... listen JOB...");
  // For https: the system's certificate authorities, and what they do not vouch for is refused.
  Poco::Net::SSLManager::instance().initializeClient(
      nullptr, new Poco::Net::RejectCertificateHandler(false),
      new Poco::Net::Context(Poco::Net::Context::TLS_CLIENT_USE, "", Poco::Net::Context::VERIFY_STRICT, 9, true));
  Places places;
  for (int i = 1; i < argc; ++i) places.emplace(Poco::toLower(std::string(argv[i])), std::nullopt);
  follow(Poco::URI(url != nullptr ? url : "http://127.0.0.1:8080"), key, std::move(places));
} catch (const std::exception& error) {
  std::cerr << error.what() << std::endl;
  return 1;
}
