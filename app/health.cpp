#include "app/health.h"

#include <array>
#include <utility>

#include "net/http/problem.h"

namespace carillon::app {
namespace {

constexpr int retry_after_s = 5;

}  // namespace

std::optional<Health::Fault> Health::draining() const {
  if (!draining_) return std::nullopt;
  return Fault{"going_away", "The hub is shutting down."};
}

std::optional<Health::Fault> Health::stuck() const {
  const auto parts = watchdog_.stuck();
  if (parts.empty()) return std::nullopt;
  std::string detail;
  for (const Watchdog::Stuck& part : parts) {
    detail.append(detail.empty() ? "Stuck: " : ", ").append(part.part);
    detail.append(" for ").append(std::to_string(part.for_ms / 1000)).append(" s");
  }
  return Fault{"stuck", detail + "."};
}

std::optional<Health::Fault> Health::unwritable() const {
  if (store_.damaged()) {
    return Fault{"store_unavailable", "The database is damaged: a backup has to be restored."};
  }
  if (store_.writable()) return std::nullopt;
  return Fault{"store_unavailable", "The store cannot write now."};
}

std::optional<Health::Fault> Health::disk_low() const {
  if (!disk_.low()) return std::nullopt;
  return Fault{"disk_low", "The disk has " + std::to_string(disk_.free_bytes()) + " bytes left; " +
                               std::to_string(disk_.free_min_bytes()) +
                               " are wanted (store.disk_free_min_bytes). The hub still serves."};
}

net::http::Response Health::healthz() const {
  const auto fault = stuck();
  if (!fault) return net::http::json_response(200, R"({"status":"ok"})");
  return to_response(net::http::Problem{503, fault->error, fault->detail, {}, retry_after_s});
}

net::http::Response Health::readyz() const {
  std::array<std::pair<std::string_view, std::optional<Fault>>, 4> checks{{
      {"accepting", draining()},
      {"turning", stuck()},
      {"store", unwritable()},
      {"disk", disk_low()},
  }};
  const Fault* first = nullptr;
  std::string told = "\"checks\":{";
  for (const auto& [name, fault] : checks) {
    told.append(told.back() == '{' ? "\"" : ",\"").append(name);
    if (!fault) {
      told.append(R"(":{"ok":true})");
      continue;
    }
    if (first == nullptr) first = &*fault;
    told.append(R"(":{"ok":false,"error":")").append(fault->error);
    told.append(R"(","detail":")").append(fault->detail).append("\"}");
  }
  told += '}';
  if (first == nullptr) return net::http::json_response(200, R"({"status":"ready",)" + told + "}");
  return to_response(net::http::Problem{503, first->error, first->detail, {}, retry_after_s, std::move(told)});
}

}  // namespace carillon::app
