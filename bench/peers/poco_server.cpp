// poco_server: what Poco's own HTTPServer makes of the same GETs: a thread for each connection, one body for whoever
// asks.
//
//   poco_server PORT FILE
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/ThreadPool.h>
#include <Poco/Timespan.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace {

constexpr int threads_max = 256;
constexpr int backlog = 4096;

class Handler final : public Poco::Net::HTTPRequestHandler {
 public:
  explicit Handler(const std::string& body) : body_(body) {}
  void handleRequest(Poco::Net::HTTPServerRequest& /*request*/, Poco::Net::HTTPServerResponse& response) override {
    response.setContentType("application/json");
    response.sendBuffer(body_.data(), body_.size());
  }

 private:
  const std::string& body_;
};

class Handlers final : public Poco::Net::HTTPRequestHandlerFactory {
 public:
  explicit Handlers(std::string body) : body_(std::move(body)) {}
  Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest& /*request*/) override {
    return new Handler(body_);
  }

 private:
  const std::string body_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: poco_server PORT FILE\n");
    return 2;
  }
  std::ifstream file(argv[2]);
  Poco::Net::HTTPServerParams::Ptr params = new Poco::Net::HTTPServerParams;
  params->setMaxThreads(threads_max);
  params->setMaxQueued(threads_max);
  params->setKeepAlive(true);
  params->setMaxKeepAliveRequests(0);
  params->setKeepAliveTimeout(Poco::Timespan(60, 0));
  Poco::ThreadPool threads(2, threads_max);
  Poco::Net::HTTPServer server(
      new Handlers(std::string(std::istreambuf_iterator<char>(file), {})), threads,
      Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1]))),
                              backlog),
      params);
  server.start();
  pause();
}
