#include "app/webhook_commands.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <optional>
#include <vector>

#include "app/command_hub.h"
#include "app/commands.h"
#include "app/pages.h"
#include "app/period.h"
#include "app/text_table.h"
#include "hub/clock.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::Object;
using hub::json::Value;

constexpr std::size_t deliveries_per_page = 100;
constexpr std::size_t webhooks_per_page = 1'000;
/// It is answered when all is done, which for a million takes its time.
constexpr std::chrono::minutes replay_wait_max{10};
constexpr std::string_view delivery_prefix = "dlv_";

std::string path_of(const std::string& id) { return "/webhooks/" + url_part(id); }

/// A line for each member; attempts in a table of their own below.
void print_members(const Object& object) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& member : object.members()) {
    if (member.name != "attempts") rows.push_back({member.name, show(object, member.name)});
  }
  std::cout << text_table(rows);
  if (const Value* attempts = object.find("attempts")) {
    std::cout << "\n"
              << table_of(hub::json::elements_of(*attempts),
                          {"number", "started_at", "duration_ms", "status", "error"});
  }
}

/// A delivery that is due now: its id alone, and where to look at what becomes of it.
int print_delivery(CommandHub& hub, const std::string& answer, const OutputOptions& output) {
  const std::string id = show(parse_answer(answer), "id");
  const std::string when = hub.is_serving() ? "is sent now" : "is sent as soon as the hub serves";
  return print_word(answer, output,
                    "it " + when + "; 'carillon webhook show " + id + "' tells what becomes of it:", id);
}

/// The command line has checked its form.
void append_time(std::string& body, std::string_view name, const std::string& moment) {
  const auto time = parse_moment(moment, hub::SystemClock().now_ms());
  body.append(body.size() > 1 ? ",\"" : "\"").append(name).append("\":");
  hub::json::append_string(body, hub::rfc3339_ms(std::max(hub::UnixMs{0}, time.value_or(0))));
}

}  // namespace

int webhook_list(const Settings& settings, const WebhookList& wanted, const OutputOptions& output) {
  std::string path = std::string("/admin/webhooks?kind=") + (wanted.for_jobs ? "jobs" : "registered") + "&";
  if (!wanted.account.empty()) path += "account=" + url_part(wanted.account) + "&";
  if (!wanted.key.empty()) path += "key=" + url_part(wanted.key) + "&";
  CommandHub hub(settings);
  Pages pages(hub, path, "webhooks");
  pages.read(std::numeric_limits<std::size_t>::max(), webhooks_per_page);
  return pages.print(output, {"id", "account", "owner", "status", "failing_since", "url"});
}

int webhook_show(const Settings& settings, const std::string& id, const OutputOptions& output) {
  const bool is_delivery = id.starts_with(delivery_prefix);
  const std::string answer = CommandHub(settings).get(is_delivery ? "/deliveries/" + url_part(id) : path_of(id));
  if (output.json) {
    std::cout << answer << "\n";
  } else {
    print_members(parse_answer(answer));
  }
  return exit_ok;
}

int webhook_set_status(const Settings& settings, const std::string& id, bool enabled, const OutputOptions& output) {
  CommandHub hub(settings);
  const std::string answer =
      enabled ? hub.post(path_of(id) + "/enable") : hub.patch(path_of(id), R"({"status":"disabled"})");
  return print_change(answer, output, id + (enabled ? " is enabled" : " is disabled"));
}

int webhook_test(const Settings& settings, const std::string& id, const OutputOptions& output) {
  CommandHub hub(settings);
  return print_delivery(hub, hub.post(path_of(id) + "/test"), output);
}

int webhook_redeliver(const Settings& settings, const std::string& delivery, const OutputOptions& output) {
  CommandHub hub(settings);
  return print_delivery(hub, hub.post("/deliveries/" + url_part(delivery) + "/redeliver"), output);
}

int webhook_replay(const Settings& settings, const WebhookReplay& wanted, const OutputOptions& output) {
  std::string body = "{";
  append_time(body, "since", wanted.since);
  if (!wanted.until.empty()) append_time(body, "until", wanted.until);
  body += wanted.all ? R"(,"status":"all"})" : R"(,"status":"failed"})";
  CommandHub hub(settings);
  hub.wait_at_most(replay_wait_max);
  const std::string answer = hub.post(path_of(wanted.id) + "/replay", body);
  return print_word(answer, output,
                    "deliveries to " + wanted.id + " that are sent again:", show(parse_answer(answer), "sent_again"));
}

int webhook_deliveries(const Settings& settings, const WebhookDeliveries& wanted, const OutputOptions& output) {
  const std::string status = wanted.status.empty() ? "" : "status=" + url_part(wanted.status) + "&";
  CommandHub hub(settings);
  Pages pages(hub, path_of(wanted.id) + "/deliveries?" + status, "deliveries");
  pages.read(wanted.limit, deliveries_per_page);
  return pages.print(output, {"id", "status", "event", "job_id", "attempt_count", "next_attempt_at", "created_at"});
}

int webhook_rotate_secret(const Settings& settings, const SecretRotation& wanted, const OutputOptions& output) {
  std::string body;
  if (const auto overlap_s = parse_period_s(wanted.overlap)) {
    body = R"({"overlap_s":)" + std::to_string(*overlap_s) + "}";
  }
  const std::string answer = CommandHub(settings).post(path_of(wanted.id) + "/rotate-secret", body);
  const Object webhook = parse_answer(answer);
  return print_word(answer, output,
                    wanted.id + " has a new secret, shown this once; the one before signs beside it until " +
                        show(webhook, "previous_valid_until") + ":",
                    show(webhook, "secret"));
}

}  // namespace carillon::app
