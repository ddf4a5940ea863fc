#include "app/first_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <variant>

#include "app/control_client.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

constexpr const char* account = "default";

std::string make_key(ControlClient& hub, const std::string& role) {
  const std::string answer = hub.post(
      "/admin/keys", R"({"account":")" + std::string(account) + R"(","role":")" + role + R"(","name":"first start"})");
  const auto key = hub::json::parse_object(answer);
  return std::get<hub::json::Object>(key).find("key")->string();
}

std::string text(const std::string& url, const std::string& client, const std::string& worker,
                 const std::string& admin) {
  const std::string ws = "ws" + url.substr(4);  // http becomes ws, https wss
  return "\n"
         "This is the first start. The account \"default\" was made, with a key of each role; they are shown this "
         "once:\n"
         "\n"
         "  client  " +
         client +
         "\n"
         "  worker  " +
         worker +
         "\n"
         "  admin   " +
         admin +
         "\n"
         "\n"
         "To hear of every job of the client key, in another terminal:\n"
         "\n"
         "  WebSocket  /usr/bin/python3 -m websockets '" +
         ws + "/api/v1/ws/jobs?api_key=" + client +
         "'\n"
         "             and then type: {\"action\":\"subscribe\",\"job_id\":\"*\"}\n"
         "  Webhook    curl " +
         url + "/api/v1/webhooks -H 'X-API-Key: " + client +
         "' -d '{\"url\":\"https://example.com/hook\"}'\n"
         "  Polling    curl " +
         url + "/api/v1/jobs/$JOB -H 'X-API-Key: " + client +
         "'\n"
         "\n"
         "To submit a job, and to report on it:\n"
         "\n"
         "  JOB=$(cat /proc/sys/kernel/random/uuid)\n"
         "  curl " +
         url + "/api/v1/jobs -H 'X-API-Key: " + client +
         "' -d '{\"job_id\":\"'$JOB'\"}'\n"
         "  curl -X PATCH " +
         url + "/api/v1/jobs/$JOB -H 'X-API-Key: " + worker +
         "' -d '{\"status\":\"running\"}'\n"
         "\n";
}

}  // namespace

std::string first_start(const Settings& settings, const std::string& url) {
  ControlClient hub(settings.data);
  // An earlier first start may have been cut off between the account and its keys.
  const std::string accounts = hub.get("/admin/accounts?name=" + std::string(account));
  if (accounts.find(R"("name":"default")") == std::string::npos) {
    hub.post("/admin/accounts", R"({"name":")" + std::string(account) + R"("})");
  }
  const std::string client = make_key(hub, "client");
  const std::string worker = make_key(hub, "worker");
  const std::string admin = make_key(hub, "admin");
  return text(url, client, worker, admin);
}

std::string keep_first_start(const Settings& settings, const std::string& text) {
  std::string path = (std::filesystem::path(settings.data) / "first-keys.txt").string();
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool written = fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (!written) throw std::runtime_error(path + ": cannot be written: " + std::generic_category().message(error));
  return path;
}

}  // namespace carillon::app
