// The commands' way to the hub that serves a data directory: HTTP over the Unix socket in it. Who may open the socket
// is the administrator, so no key is sent.
//
// Threads: one at a time.
#pragma once

#include <chrono>
#include <string>

#include "app/data_directory.h"
#include "app/http_client.h"

namespace carillon::app {

class ControlClient {
 public:
  /// The directory must be there. Nothing is sent yet.
  explicit ControlClient(const std::string& data_directory);

  /// Returns when the hub answers at all; throws NoAnswer otherwise.
  void probe() { http_.request("GET", "/healthz"); }

  /// What the hub counts, in Prometheus' text format; throws as get() does.
  std::string metrics();

  void wait_at_most(std::chrono::milliseconds time) { http_.wait_at_most(time); }

  /// `path` is what follows "/api/v1". Returns the body of a 2xx answer; throws NoAnswer where none came, and
  /// std::runtime_error with the hub's own word where it refused.
  std::string get(const std::string& path) { return ask("GET", path, {}); }
  std::string post(const std::string& path, const std::string& body = {}) { return ask("POST", path, body); }
  std::string patch(const std::string& path, const std::string& body) { return ask("PATCH", path, body); }

 private:
  std::string ask(const std::string& method, const std::string& path, const std::string& body);

  DataDirectory directory_;
  HttpClient http_;
};

}  // namespace carillon::app
