#include "app/top_screen.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "app/text_table.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

constexpr std::size_t name_width = 13;

std::string printed(const char* form, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), form, value);
  return text.data();
}

std::string count(double value) { return printed("%.0f", value); }
std::string rate(double value) { return printed(value < 9.95 ? "%.1f/s" : "%.0f/s", value); }

std::string duration(double seconds) {
  if (seconds < 0.0995) return printed("%.1f ms", seconds * 1e3);
  if (seconds < 0.9995) return printed("%.0f ms", seconds * 1e3);
  if (seconds < 120) return printed("%.1f s", seconds);
  if (seconds < 7200) return printed("%.0f min", seconds / 60);
  if (seconds < 172'800) return printed("%.0f h", seconds / 3600);
  return printed("%.0f days", seconds / 86'400);
}

std::string duration(const std::optional<double>& seconds) { return seconds ? duration(*seconds) : "-"; }

std::string bytes(double value) {
  static constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return printed(unit > 0 && value < 9.95 ? "%.1f " : "%.0f ", value) + units[unit];
}

std::string line(std::string_view name, std::initializer_list<std::string> parts) {
  std::string text(name);
  text.resize(std::max(name_width, text.size() + 1), ' ');
  bool first = true;
  for (const std::string& part : parts) text.append(std::exchange(first, false) ? "" : "   ").append(part);
  return text;
}

std::string state_of(const TopFigures& figures) {
  if (!figures.stuck.empty()) {
    std::string text = "STUCK:";
    for (const std::string& part : figures.stuck) text.append(" ").append(part);
    return text;
  }
  return figures.writable ? "well" : "THE STORE CANNOT WRITE";
}

/// Members of an object, by name.
class Members {
 public:
  Members& add(std::string_view name, double value) { return raw(name, number(value)); }
  Members& add(std::string_view name, const std::optional<double>& value) {
    return raw(name, value ? number(*value) : "null");
  }
  Members& add(std::string_view name, std::string_view value) {
    std::string text;
    hub::json::append_string(text, value);
    return raw(name, text);
  }
  Members& raw(std::string_view name, std::string_view value) {
    text_.append(text_.size() > 1 ? ",\"" : "\"").append(name).append("\":").append(value);
    return *this;
  }
  std::string end() const { return text_ + "}"; }

 private:
  static std::string number(double value) {
    if (!std::isfinite(value)) return "null";
    return std::floor(value) == value && std::abs(value) < 1e15 ? printed("%.0f", value) : printed("%.6g", value);
  }

  std::string text_ = "{";
};

}  // namespace

std::vector<std::string> top_lines(const TopFigures& figures, std::size_t endpoints_max) {
  std::vector<std::string> lines;
  lines.push_back("carillon " + figures.version + "   up " + duration(figures.up_s) + "   " + state_of(figures));
  lines.emplace_back();
  lines.push_back(line("road", {rate(figures.events_per_s) + " events", rate(figures.commits_per_s) + " commits",
                                count(figures.changes_waiting) + " changes wait"}));
  lines.push_back(line("commit", {"p50 " + duration(figures.commit_p50_s), "p99 " + duration(figures.commit_p99_s)}));
  lines.push_back(
      line("http", {rate(figures.requests_per_s) + " requests", rate(figures.errors_per_s) + " errors (5xx)",
                    count(figures.http_connections) + " connections"}));
  lines.push_back(
      line("websocket", {rate(figures.websocket_deliveries_per_s) + " deliveries",
                         count(figures.websockets) + " connections", count(figures.subscriptions) + " subscriptions"}));
  lines.push_back(line("polling", {count(figures.polls_waiting) + " polls wait", count(figures.streams) + " streams"}));
  lines.push_back(
      line("webhook",
           {rate(figures.webhook_delivered_per_s) + " deliveries", rate(figures.webhook_attempts_per_s) + " attempts",
            count(figures.deliveries_pending) + " owed", "longest due " + duration(figures.longest_due_s)}));
  lines.push_back(
      line("endpoints", {count(figures.endpoints_waiting) + " wait", count(figures.endpoints_down) + " down"}));
  lines.push_back(line(
      "machine", {printed("%.2f", figures.cpu_cores) + " cores", bytes(figures.memory_bytes),
                  "loop lag p99 " + duration(figures.loop_lag_p99_s), bytes(figures.disk_free_bytes) + " disk free"}));
  if (figures.endpoints.empty()) return lines;
  lines.emplace_back();
  std::vector<std::vector<std::string>> rows{{"endpoint", "attempts", "failed", "takes", "url"}};
  for (const TopEndpoint& endpoint : figures.endpoints) {
    if (rows.size() > endpoints_max) break;
    rows.push_back({endpoint.id, rate(endpoint.attempts_per_s), printed("%.0f %%", endpoint.failed_share * 100),
                    duration(endpoint.seconds), endpoint.url.empty() ? "-" : endpoint.url});
  }
  const std::string table = text_table(rows);
  for (std::size_t at = 0; at < table.size();) {
    const std::size_t end = std::min(table.find('\n', at), table.size());
    lines.push_back(table.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string top_json(const TopFigures& figures) {
  std::string stuck = "[";
  for (const std::string& part : figures.stuck) {
    if (stuck.size() > 1) stuck += ',';
    hub::json::append_string(stuck, part);
  }
  std::string endpoints = "[";
  for (const TopEndpoint& endpoint : figures.endpoints) {
    if (endpoints.size() > 1) endpoints += ',';
    Members members;
    members.add("id", std::string_view(endpoint.id));
    endpoint.url.empty() ? members.raw("url", "null") : members.add("url", std::string_view(endpoint.url));
    members.add("attempts_per_second", endpoint.attempts_per_s).add("failed_share", endpoint.failed_share);
    endpoints += members.add("attempt_seconds", endpoint.seconds).end();
  }
  return Members()
      .add("version", std::string_view(figures.version))
      .add("up_seconds", figures.up_s)
      .raw("writable", figures.writable ? "true" : "false")
      .raw("stuck", stuck + "]")
      .add("disk_free_bytes", figures.disk_free_bytes)
      .add("events_per_second", figures.events_per_s)
      .add("commits_per_second", figures.commits_per_s)
      .add("commit_p50_seconds", figures.commit_p50_s)
      .add("commit_p99_seconds", figures.commit_p99_s)
      .add("changes_waiting", figures.changes_waiting)
      .add("requests_per_second", figures.requests_per_s)
      .add("errors_per_second", figures.errors_per_s)
      .add("http_connections", figures.http_connections)
      .add("websockets", figures.websockets)
      .add("subscriptions", figures.subscriptions)
      .add("websocket_deliveries_per_second", figures.websocket_deliveries_per_s)
      .add("polls_waiting", figures.polls_waiting)
      .add("streams", figures.streams)
      .add("webhook_attempts_per_second", figures.webhook_attempts_per_s)
      .add("webhook_deliveries_per_second", figures.webhook_delivered_per_s)
      .add("deliveries_pending", figures.deliveries_pending)
      .add("endpoints_waiting", figures.endpoints_waiting)
      .add("endpoints_down", figures.endpoints_down)
      .add("longest_due_seconds", figures.longest_due_s)
      .add("cpu_cores", figures.cpu_cores)
      .add("memory_bytes", figures.memory_bytes)
      .add("loop_lag_p99_seconds", figures.loop_lag_p99_s)
      .raw("endpoints", endpoints + "]")
      .end();
}

std::string top_frame(const std::vector<std::string>& lines, std::size_t columns, std::size_t rows) {
  std::string frame = "\x1b[H";
  for (std::size_t i = 0; i < std::min(lines.size(), rows); ++i) {
    if (i > 0) frame += "\r\n";
    for (const char c : std::string_view(lines[i]).substr(0, columns)) frame += c >= ' ' && c <= '~' ? c : '?';
    frame += "\x1b[K";
  }
  return frame + "\x1b[J";
}

}  // namespace carillon::app
