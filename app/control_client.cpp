#include "app/control_client.h"

#include <stdexcept>

namespace carillon::app {

ControlClient::ControlClient(const std::string& data_directory)
    : directory_(data_directory, DataDirectory::Use::visit), http_("http://localhost", directory_.control_socket()) {}

std::string ControlClient::metrics() {
  HttpAnswer answer = http_.request("GET", "/metrics");
  if (answer.status != 200) throw std::runtime_error(problem_text(answer));
  return std::move(answer.body);
}

std::string ControlClient::ask(const std::string& method, const std::string& path, const std::string& body) {
  HttpAnswer answer = http_.request(method, "/api/v1" + path, body);
  if (answer.status / 100 != 2) throw std::runtime_error(problem_text(answer));
  return std::move(answer.body);
}

}  // namespace carillon::app
