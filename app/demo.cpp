#include "app/demo.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <variant>

#include "app/commands.h"
#include "app/control_client.h"
#include "app/demo_channels.h"
#include "app/demo_stage.h"
#include "app/http_client.h"
#include "app/hub_server.h"
#include "hub/id.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

constexpr std::chrono::seconds patience{15};
constexpr std::size_t channel_count = 3;

/// A hub in a temporary folder on a free port; gone with the object.
class OwnHub {
 public:
  explicit OwnHub(const Settings& settings) : settings_(settings) {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder like " + pattern);
    folder_ = pattern;
    settings_.data = folder_.string();
    settings_.listen = "127.0.0.1:0";
    settings_.tls_cert.clear();
    settings_.tls_key.clear();
    settings_.webhooks.allow_http = true;
    settings_.webhooks.allow_cidrs = {"127.0.0.0/8"};
    try {
      server_ = std::make_unique<HubServer>(settings_, Doors::all);
      server_->start();
    } catch (...) {
      std::filesystem::remove_all(folder_);
      throw;
    }
  }
  ~OwnHub() {
    server_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  OwnHub(const OwnHub&) = delete;
  OwnHub& operator=(const OwnHub&) = delete;

  DemoHub as_client() {
    ControlClient control(settings_.data);
    control.post("/admin/accounts", R"({"name":"demo"})");
    return {"http://" + server_->address(), key(control, "client"), key(control, "worker")};
  }

 private:
  static std::string key(ControlClient& control, const std::string& role) {
    const std::string answer = control.post("/admin/keys", R"({"account":"demo","role":")" + role + R"("})");
    const auto parsed = hub::json::parse_object(answer);
    return std::get<hub::json::Object>(parsed).find("key")->string();
  }

  Settings settings_;
  std::filesystem::path folder_;
  std::unique_ptr<HubServer> server_;
};

/// Who moves the job.
class Reporter {
 public:
  Reporter(const DemoHub& hub, DemoStage& stage) : stage_(stage), client_(hub.url), worker_(hub.url) {
    client_.send_always("X-API-Key: " + hub.client_key);
    worker_.send_always("X-API-Key: " + hub.worker_key);
  }

  void submit(const std::string& job, const std::string& hook) {
    stage_.line("submit", job);
    expect(client_.request("POST", "/api/v1/jobs",
                           R"({"job_id":")" + job + R"(","webhook_url":")" + hook +
                               R"(","webhook_events":["job.running","job.succeeded"]})"),
           "submitting the job");
  }

  void report(const std::string& job, const std::string& body) {
    stage_.line("report", body);
    expect(worker_.request("PATCH", "/api/v1/jobs/" + job, body), "reporting on the job");
  }

 private:
  static void expect(const HttpAnswer& answer, const std::string& doing) {
    if (answer.status / 100 != 2) throw std::runtime_error(doing + ": " + problem_text(answer));
  }

  DemoStage& stage_;
  HttpClient client_;
  HttpClient worker_;
};

}  // namespace

int run_demo(const DemoOptions& options, const Settings& settings) {
  std::optional<OwnHub> own;
  if (options.url.empty()) own.emplace(settings);
  const DemoHub hub = own ? own->as_client() : DemoHub{options.url, options.client_key, options.worker_key};
  std::cout << "One job, three channels, at " << hub.url << (own ? " (a hub of the demonstration's own)\n\n" : "\n\n");

  DemoStage stage(std::cout);
  const std::string job = hub::JobId::random().text();
  const DemoReceiver receiver(stage);
  DemoWebSocket websocket(hub, stage);
  Reporter reporter(hub, stage);
  reporter.submit(job, receiver.url());
  websocket.subscribe(job);
  const DemoPoller poller(hub, job, stage);
  reporter.report(job, R"({"status":"running","progress":{"page":1}})");
  reporter.report(job, R"({"status":"succeeded","result":{"pages":12}})");
  stage.await_the_end(channel_count, patience);

  bool all = true;
  std::cout << "\n";
  for (const char* channel : {"websocket", "webhook", "polling"}) {
    const bool seen = stage.has_seen_the_end(channel);
    all = all && seen;
    std::cout << channel << (seen ? ": told that the job succeeded\n" : ": NOT told that the job succeeded\n");
  }
  if (!all && !own && !stage.has_seen_the_end("webhook")) {
    std::cout << "(the webhook goes to " << receiver.url()
              << ": the hub must allow 127.0.0.0/8 with webhooks.allow_cidrs, and webhooks.allow_http)\n";
  }
  return all ? exit_ok : exit_failed;
}

}  // namespace carillon::app
