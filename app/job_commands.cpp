#include "app/job_commands.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/command_hub.h"
#include "app/commands.h"
#include "app/text_table.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using hub::json::Kind;
using hub::json::Object;
using hub::json::Value;

constexpr std::size_t events_per_page = 100;

Object object_of(const Value& value) { return std::get<Object>(hub::json::members_of(value)); }

/// A member that is an object; none where it is null.
std::optional<Object> object_in(const Object& object, std::string_view member) {
  const Value* value = object.find(member);
  return value != nullptr && value->is(Kind::object) ? std::optional(object_of(*value)) : std::nullopt;
}

std::string text_in(const Object& object, std::string_view member) {
  const Value* value = object.find(member);
  return std::string(value == nullptr ? "null" : value->text);
}

std::string count(const std::string& number, const std::string& what) {
  return number + " " + what + (number == "1" ? "" : "s");
}

/// The answer's pages as one.
struct Trace {
  std::string last_page;            ///< the first that was asked for
  std::vector<std::string> events;  ///< in order
  bool more = false;                ///< there are earlier ones
};

Trace read_trace(CommandHub& hub, const JobTrace& wanted) {
  Trace trace;
  std::optional<std::string> cursor;
  do {
    const std::size_t page = std::min(events_per_page, wanted.limit - trace.events.size());
    std::string answer = hub.get("/jobs/" + url_part(wanted.id) + "/notifications?limit=" + std::to_string(page) +
                                 (cursor ? "&cursor=" + url_part(*cursor) : ""));
    const Object object = parse_answer(answer);
    std::vector<std::string> earlier;
    for (const Value& event : hub::json::elements_of(*object.find("events"))) earlier.emplace_back(event.text);
    trace.events.insert(trace.events.begin(), earlier.begin(), earlier.end());
    const Value* next = object.find("next_cursor");
    cursor = next != nullptr && next->is(Kind::string) ? std::optional(next->string()) : std::nullopt;
    if (trace.last_page.empty()) trace.last_page = std::move(answer);
  } while (cursor && trace.events.size() < wanted.limit);
  trace.more = cursor.has_value();
  return trace;
}

using Row = std::vector<std::string>;

void add_sent(std::vector<Row>& rows, const Object& event) {
  const std::string at = show(event, "timestamp");
  const auto sent = object_in(event, "sent");
  if (!sent) {
    rows.push_back({at, "websocket", "not known, as are streams and polls: the hub does not remember it"});
    return;
  }
  const std::string told = text_in(*sent, "websocket");
  const std::string later = text_in(*sent, "websocket_later");
  rows.push_back({at, "websocket",
                  (told == "0" ? "nobody listened" : "told " + count(told, "connection")) +
                      (later == "0" ? "" : ", and " + count(later, "more connection") + " later")});
  if (const std::string streams = text_in(*sent, "streams"); streams != "0")
    rows.push_back({at, "stream", "told " + count(streams, "stream")});
  if (const std::string polls = text_in(*sent, "polls"); polls != "0")
    rows.push_back({at, "polling", "told in " + count(polls, "answer")});
}

void add_drops(std::vector<Row>& rows, const Object& event) {
  const Value* dropped = event.find("dropped");
  if (dropped == nullptr || !dropped->is(Kind::array)) return;
  for (const Value& element : hub::json::elements_of(*dropped)) {
    const Object drop = object_of(element);
    rows.push_back({show(drop, "at"), show(drop, "channel"),
                    "a connection of " + show(drop, "key_id") + " was dropped: " + show(drop, "reason") +
                        (drop.find("close_code")->is(Kind::null) ? "" : ", " + text_in(drop, "close_code"))});
  }
}

void add_webhooks(std::vector<Row>& rows, const Object& event) {
  const Value* webhooks = event.find("webhooks");
  if (webhooks == nullptr || !webhooks->is(Kind::array)) return;
  for (const Value& element : hub::json::elements_of(*webhooks)) {
    const Object delivery = object_of(element);
    const std::string what = show(delivery, "id") + " to " + show(delivery, "url");
    std::string last_at = show(delivery, "created_at");
    for (const Value& tried : hub::json::elements_of(*delivery.find("attempts"))) {
      const Object attempt = object_of(tried);
      const bool answered = !attempt.find("status")->is(Kind::null);
      last_at = show(attempt, "started_at");
      rows.push_back({last_at, "webhook",
                      what + ", attempt " + text_in(attempt, "number") + ": " +
                          show(attempt, answered ? "status" : "error") + " in " + text_in(attempt, "duration_ms") +
                          " ms"});
    }
    const std::string next = show(delivery, "next_attempt_at");
    rows.push_back(
        {last_at, "webhook", what + " is " + show(delivery, "status") + (next == "-" ? "" : ", next at " + next)});
  }
}

void print_event(const Object& event) {
  std::vector<Row> rows;
  add_sent(rows, event);
  add_drops(rows, event);
  add_webhooks(rows, event);
  // By their times, which are all written alike.
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.front() < b.front(); });
  std::cout << "\n" << show(event, "seq") << " " << show(event, "type") << "\n" << text_table(rows);
}

void print_head(const Object& answer) {
  std::cout << "job " << show(answer, "job_id") << " is " << show(answer, "status") << "\n";
  const auto memory = object_in(answer, "memory");
  if (const auto poll = object_in(answer, "last_poll")) {
    std::cout << "last asked for at " << show(*poll, "at") << " by " << show(*poll, "key_id") << ", as of event "
              << show(*poll, "seq") << "\n";
  } else if (memory && show(*memory, "complete") == "true") {
    std::cout << "not asked for since " << show(*memory, "polls_after") << "; what was before is not remembered\n";
  } else {
    std::cout << "whether it was asked for is not known: a part of the hub does not answer\n";
  }
}

}  // namespace

int job_trace(const Settings& settings, const JobTrace& wanted, const OutputOptions& output) {
  CommandHub hub(settings);
  const Trace trace = read_trace(hub, wanted);
  const Object answer = parse_answer(trace.last_page);
  if (output.json) {
    std::cout << R"({"job_id":)" << text_in(answer, "job_id") << R"(,"status":)" << text_in(answer, "status")
              << R"(,"events":[)";
    for (std::size_t i = 0; i < trace.events.size(); ++i) std::cout << (i == 0 ? "" : ",") << trace.events[i];
    std::cout << R"(],"last_poll":)" << text_in(answer, "last_poll") << R"(,"memory":)" << text_in(answer, "memory")
              << "}\n";
    return exit_ok;
  }
  print_head(answer);
  for (const std::string& event : trace.events) print_event(parse_answer(event));
  if (trace.more) std::cerr << "carillon: there are earlier events; --limit shows more\n";
  return exit_ok;
}

}  // namespace carillon::app
