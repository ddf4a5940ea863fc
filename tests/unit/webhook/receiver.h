// A webhook receiver on a free port of 127.0.0.1: keeps what it gets, and answers what it is told to.
#pragma once

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/StreamCopier.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace carillon::channels::webhook {

struct Received {
  std::map<std::string, std::string> fields;
  std::string body;
};

class Receiver {
 public:
  /// Called with each request before it is answered; returns the status.
  using Answer = std::function<int(const Received&)>;

  explicit Receiver(Answer answer = [](const Received&) { return 204; })
      : answer_(std::move(answer)),
        server_(new Factory(*this), Poco::Net::ServerSocket(Poco::Net::SocketAddress("127.0.0.1", 0)),
                new Poco::Net::HTTPServerParams) {
    server_.start();
  }
  ~Receiver() { server_.stopAll(true); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  std::string url(const std::string& path = "/hook") const {
    return "http://127.0.0.1:" + std::to_string(server_.port()) + path;
  }

  /// All that has come, once it is `count` or more; what there is when the patience ends.
  std::vector<Received> await(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return received_.size() >= count; });
    return received_;
  }

 private:
  class Handler final : public Poco::Net::HTTPRequestHandler {
   public:
    explicit Handler(Receiver& receiver) : receiver_(receiver) {}
    void handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& response) override {
      Received received;
      for (const auto& [name, value] : request) received.fields[name] = value;
      Poco::StreamCopier::copyToString(request.stream(), received.body);
      response.setStatus(std::to_string(receiver_.take(received)));
      response.setContentLength(2);
      response.send() << "ok";
    }

   private:
    Receiver& receiver_;
  };

  class Factory final : public Poco::Net::HTTPRequestHandlerFactory {
   public:
    explicit Factory(Receiver& receiver) : receiver_(receiver) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(const Poco::Net::HTTPServerRequest&) override {
      return new Handler(receiver_);
    }

   private:
    Receiver& receiver_;
  };

  int take(const Received& received) {
    const int status = answer_(received);
    {
      const std::lock_guard lock(mutex_);
      received_.push_back(received);
    }
    arrived_.notify_all();
    return status;
  }

  Answer answer_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Received> received_;
  Poco::Net::HTTPServer server_;
};

}  // namespace carillon::channels::webhook
