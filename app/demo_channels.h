// The three ears of a demonstration, each as a user would write it: a WebSocket client, a webhook receiver and a
// poller. Each shows what it gets on the stage, and ends with its object.
//
// Threads: each runs one of its own.
#pragma once

#include <Poco/Net/WebSocket.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "app/demo_stage.h"

namespace Poco::Net {
class HTTPServer;
}

namespace carillon::app {

/// A hub, as a client sees it.
struct DemoHub {
  std::string url;  ///< http://127.0.0.1:8080
  std::string client_key;
  std::string worker_key;
};

class DemoWebSocket {
 public:
  /// Connected when it returns; throws std::runtime_error when it cannot.
  DemoWebSocket(const DemoHub& hub, DemoStage& stage);
  ~DemoWebSocket();
  DemoWebSocket(const DemoWebSocket&) = delete;
  DemoWebSocket& operator=(const DemoWebSocket&) = delete;

  void subscribe(const std::string& job);

 private:
  void listen();

  DemoStage& stage_;
  std::unique_ptr<Poco::Net::WebSocket> socket_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

class DemoReceiver {
 public:
  /// Listens on a free port of 127.0.0.1.
  explicit DemoReceiver(DemoStage& stage);
  ~DemoReceiver();
  DemoReceiver(const DemoReceiver&) = delete;
  DemoReceiver& operator=(const DemoReceiver&) = delete;

  std::string url() const;

 private:
  std::unique_ptr<Poco::Net::HTTPServer> server_;
};

class DemoPoller {
 public:
  DemoPoller(const DemoHub& hub, std::string job, DemoStage& stage);
  ~DemoPoller();
  DemoPoller(const DemoPoller&) = delete;
  DemoPoller& operator=(const DemoPoller&) = delete;

 private:
  void poll(const DemoHub& hub, const std::string& job);

  DemoStage& stage_;
  std::atomic<bool> ending_{false};
  std::thread thread_;
};

}  // namespace carillon::app
