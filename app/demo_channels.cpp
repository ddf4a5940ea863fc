#include "app/demo_channels.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>
#include <variant>

#include "app/http_client.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

constexpr std::chrono::milliseconds poll_interval{20};
constexpr int frame_bytes_max = 16 * 1024 * 1024;

/// The member of a text that is an object, unquoted; empty where there is none.
std::string member(const std::string& json, std::string_view name) {
  const auto parsed = hub::json::parse_object(json);
  const auto* object = std::get_if<hub::json::Object>(&parsed);
  const auto* value = object != nullptr ? object->find(name) : nullptr;
  return value != nullptr && value->is(hub::json::Kind::string) ? value->string() : "";
}

std::unique_ptr<Poco::Net::HTTPClientSession> session_to(const Poco::URI& uri) {
  if (uri.getScheme() == "https") return std::make_unique<Poco::Net::HTTPSClientSession>(uri.getHost(), uri.getPort());
  return std::make_unique<Poco::Net::HTTPClientSession>(uri.getHost(), uri.getPort());
}

class ReceiverHandler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit ReceiverHandler(DemoStage& stage) : stage_(stage) {}

  void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override {
    std::string body;
    Poco::StreamCopier::copyToString(request.stream(), body);
    response.setStatus(Poco::Net::HTTPResponse::HTTP_NO_CONTENT);
    response.send();
    stage_.line("webhook", body);
    if (member(body, "type") == "job.succeeded") stage_.saw_the_end("webhook");
  }

 private:
  DemoStage& stage_;
};

class ReceiverFactory final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit ReceiverFactory(DemoStage& stage) : stage_(stage) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
    return new ReceiverHandler(stage_);  // Poco takes it over
  }

 private:
  DemoStage& stage_;
};

}  // namespace

DemoWebSocket::DemoWebSocket(const DemoHub& hub, DemoStage& stage) : stage_(stage) {
  try {
    const Poco::URI uri(hub.url);
    const auto session = session_to(uri);
    Poco::Net::HTTPRequest request(Poco::Net::HTTPRequest::HTTP_GET, "/api/v1/ws/jobs",
                                   Poco::Net::HTTPMessage::HTTP_1_1);
    request.set("X-API-Key", hub.client_key);
    Poco::Net::HTTPResponse response;
    socket_ = std::make_unique<Poco::Net::WebSocket>(*session, request, response);
    socket_->setMaxPayloadSize(frame_bytes_max);
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("WebSocket to " + hub.url + ": " + error.displayText());
  }
  thread_ = std::thread([this] { listen(); });
}

DemoWebSocket::~DemoWebSocket() {
  ending_ = true;
  try {
    socket_->shutdown();
    socket_->Poco::Net::StreamSocket::shutdown();  // so that the thread's read returns
  } catch (const Poco::Exception&) {
    // It is gone already.
  }
  thread_.join();
}

void DemoWebSocket::subscribe(const std::string& job) {
  const std::string message = R"({"action":"subscribe","job_id":")" + job + R"("})";
  socket_->sendFrame(message.data(), static_cast<int>(message.size()));
}

void DemoWebSocket::listen() {
  try {
    while (!ending_) {
      Poco::Buffer<char> buffer(0);
      int flags = 0;
      if (socket_->receiveFrame(buffer, flags) <= 0) break;
      const std::string text(buffer.begin(), buffer.size());
      if ((flags & Poco::Net::WebSocket::FRAME_OP_BITMASK) != Poco::Net::WebSocket::FRAME_OP_TEXT) continue;
      stage_.line("websocket", text);
      if (member(text, "type") == "job_update" && member(text, "status") == "succeeded")
        stage_.saw_the_end("websocket");
    }
  } catch (const Poco::Exception& error) {
    if (!ending_) stage_.line("websocket", "ended: " + error.displayText());
  }
}

DemoReceiver::DemoReceiver(DemoStage& stage) {
  auto parameters = Poco::AutoPtr<Poco::Net::HTTPServerParams>(new Poco::Net::HTTPServerParams);
  server_ = std::make_unique<Poco::Net::HTTPServer>(
      new ReceiverFactory(stage), Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)), parameters);
  server_->start();
}

DemoReceiver::~DemoReceiver() { server_->stopAll(true); }

std::string DemoReceiver::url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/hook"; }

DemoPoller::DemoPoller(const DemoHub& hub, std::string job, DemoStage& stage) : stage_(stage) {
  thread_ = std::thread([this, hub, job = std::move(job)] { poll(hub, job); });
}

DemoPoller::~DemoPoller() {
  ending_ = true;
  thread_.join();
}

void DemoPoller::poll(const DemoHub& hub, const std::string& job) {
  HttpClient http(hub.url);
  http.send_always("X-API-Key: " + hub.client_key);
  std::string etag;
  while (!ending_) {
    try {
      const HttpAnswer answer =
          http.request("GET", "/api/v1/jobs/" + job, {},
                       etag.empty() ? std::vector<std::string>{} : std::vector{"If-None-Match: " + etag});
      if (answer.status == 200) {
        stage_.line("polling", answer.body);
        if (const auto tag = answer.fields.find("etag"); tag != answer.fields.end()) etag = tag->second;
        if (member(answer.body, "status") == "succeeded") return stage_.saw_the_end("polling");
      } else if (answer.status != 304) {
        return stage_.line("polling", problem_text(answer));
      }
    } catch (const NoAnswer& error) {
      return stage_.line("polling", error.what());
    }
    std::this_thread::sleep_for(poll_interval);
  }
}

}  // namespace carillon::app
