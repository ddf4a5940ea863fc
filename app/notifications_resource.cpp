#include "app/notifications_resource.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "channels/query_reader.h"
#include "channels/refusal.h"
#include "channels/webhook/delivery_json.h"
#include "hub/json.h"

namespace carillon::app {
namespace {

using channels::NotificationLog;
using hub::json::append_number;
using hub::json::append_string;
using EventPlace = hub::NumberId<hub::EventPlaceTag>;

constexpr std::size_t events_default = 20;
constexpr std::size_t events_max = 100;
/// Deliveries and attempts that are read for one answer: some milliseconds.
constexpr std::size_t rows_max = 1'000;
constexpr std::size_t attempts_shown_max = 20;

void append_time(std::string& out, hub::UnixMs at) { append_string(out, hub::rfc3339_ms(at)); }

/// The key's id, where the caller may know it: who does not manage keys knows of no other than the own.
void append_key(std::string& out, hub::KeyId key, const hub::Principal& who) {
  const bool shown = who.role == hub::Role::admin || who.key == key;
  shown ? append_string(out, hub::to_text(key)) : void(out += "null");
}

void append_sent(std::string& out, const std::optional<channels::Sent>& sent) {
  if (!sent) return void(out += "null");
  out += R"({"websocket":)";
  append_number(out, sent->websocket);
  out += R"(,"websocket_later":)";
  append_number(out, sent->websocket_later);
  out += R"(,"streams":)";
  append_number(out, sent->streams);
  out += R"(,"polls":)";
  append_number(out, sent->polls);
  out += '}';
}

void append_drop(std::string& out, const channels::Drop& drop, const hub::Principal& who) {
  out += R"({"at":)";
  append_time(out, drop.at);
  out += R"(,"channel":)";
  append_string(out, drop.channel);
  out += R"(,"reason":)";
  append_string(out, drop.reason);
  out += R"(,"close_code":)";
  drop.close_code != 0 ? append_number(out, drop.close_code) : void(out += "null");
  out += R"(,"key_id":)";
  append_key(out, drop.key, who);
  out += '}';
}

}  // namespace

struct NotificationsResource::Page {
  hub::Job job;
  std::vector<hub::EventPtr> events;
  hub::Seq until = std::numeric_limits<hub::Seq>::max();  ///< the job's event behind these
  bool has_earlier = false;
  std::vector<std::string> webhooks;  ///< of each event, as JSON
};

/// A question that is under way.
class NotificationsResource::Asking final : public net::Timer {
 public:
  Asking(NotificationsResource& resource, std::uint64_t number, Page page, const hub::Principal& who,
         const Responder& responder)
      : resource_(resource),
        number_(number),
        page_(std::move(page)),
        who_(who),
        responder_(responder),
        missing_(resource.memories_.size()) {}

  /// True when it was the last.
  bool take(const NotificationLog::Recollection& memory) {
    memory_ ? memory_->add(memory) : void(memory_ = memory);
    return --missing_ == 0;
  }

  void answer() {
    net::http::Response response = net::http::json_response(200, json());
    response.with("Cache-Control", "private, no-store");
    responder_.send(std::move(response));
  }

 private:
  void on_timer() override {
    const auto self = std::move(resource_.asking_.extract(number_).mapped());
    answer();
  }

  std::string json() const {
    std::string out = R"({"job_id":")";
    out.append(page_.job.id.text()).append(R"(","status":)");
    append_string(out, to_text(page_.job.status));
    out += R"(,"events":[)";
    for (std::size_t i = 0; i < page_.events.size(); ++i) {
      if (i > 0) out += ',';
      append_event(out, i);
    }
    out += R"(],"last_poll":)";
    append_last_poll(out);
    out += R"(,"memory":)";
    append_memory(out);
    out += R"(,"next_cursor":)";
    page_.has_earlier ? append_string(out, to_text(EventPlace{page_.events.front()->seq})) : void(out += "null");
    return out + "}";
  }

  void append_event(std::string& out, std::size_t i) const {
    const hub::Event& event = *page_.events[i];
    out += R"({"seq":)";
    append_number(out, event.seq);
    out += R"(,"type":)";
    append_string(out, to_text(event.kind));
    out += R"(,"timestamp":)";
    append_time(out, event.at);
    out += R"(,"sent":)";
    append_sent(out, complete() ? memory_->sent[i] : std::nullopt);
    out += R"(,"dropped":)";
    append_drops(out, i);
    out.append(R"(,"webhooks":)").append(page_.webhooks[i]).append("}");
  }

  /// Those who were dropped after this event and before the next.
  void append_drops(std::string& out, std::size_t i) const {
    const hub::Seq from = page_.events[i]->seq;
    const hub::Seq until = i + 1 < page_.events.size() ? page_.events[i + 1]->seq : page_.until;
    std::string drops;
    for (const auto& [seq, drop] : memory_ ? memory_->drops : std::vector<NotificationLog::DropAfter>{}) {
      if (seq < from || seq >= until) continue;
      if (!drops.empty()) drops += ',';
      append_drop(drops, drop, who_);
    }
    const bool all_known = complete() && from > memory_->drops_after;
    drops.empty() && !all_known ? void(out += "null") : void(out.append("[").append(drops).append("]"));
  }

  void append_last_poll(std::string& out) const {
    if (!memory_ || !memory_->last_poll) return void(out += "null");
    const channels::LastPoll& poll = *memory_->last_poll;
    out += R"({"at":)";
    append_time(out, poll.at);
    out += R"(,"seq":)";
    append_number(out, poll.seq);
    out += R"(,"key_id":)";
    append_key(out, poll.by, who_);
    out += '}';
  }

  void append_memory(std::string& out) const {
    out.append(R"({"complete":)").append(complete() ? "true" : "false");
    const auto append = [&](std::string_view name, auto&& value) {
      out.append(",\"").append(name).append("\":");
      complete() ? value() : void(out += "null");
    };
    append("since", [&] { append_time(out, memory_->since); });
    append("events_after", [&] { append_number(out, memory_->events_after); });
    append("drops_after", [&] { append_number(out, memory_->drops_after); });
    append("polls_after", [&] { append_time(out, memory_->polls_after); });
    out += '}';
  }

  bool complete() const { return missing_ == 0; }

  NotificationsResource& resource_;
  const std::uint64_t number_;
  const Page page_;
  const hub::Principal who_;
  const Responder responder_;
  std::size_t missing_;  ///< loops that have not said yet what they remember
  std::optional<NotificationLog::Recollection> memory_;
};

NotificationsResource::NotificationsResource(net::EventLoop& loop, hub::Reader& reader, const hub::Ownership& ownership,
                                             const LoopMemories& memories)
    : loop_(loop), reader_(reader), ownership_(ownership), memories_(memories) {}

NotificationsResource::~NotificationsResource() = default;

void NotificationsResource::show(const Request& request, const hub::Principal& who, const Responder& responder) {
  channels::QueryReader query(request);
  const std::size_t limit = query.take_limit("limit", events_default, events_max);
  const auto cursor = query.take_cursor<hub::EventPlaceTag>();
  if (const auto problem = query.end()) return responder.send(*problem);

  const std::string_view text = request.parameters[0];
  const auto id = hub::JobId::parse(text);
  // From the first event of the page before on, which is not shown again but says where this page ends.
  const auto upto = cursor ? std::optional(hub::Seq{cursor->value}) : std::nullopt;
  auto history = id ? reader_.history(*id, upto, limit + (cursor ? 1 : 0)) : std::nullopt;
  if (!history || !ownership_.may_see(who, history->job.owner))
    return responder.send(channels::problem_for(hub::Refusal::not_found, channels::no_such_job(text)));

  Page page;
  page.job = std::move(history->job);
  page.events = std::move(history->events);
  page.has_earlier = history->earlier > 0;
  if (cursor && !page.events.empty()) {
    page.until = page.events.back()->seq;
    page.events.pop_back();
  }
  read_webhooks(page, who);

  auto question = std::make_shared<NotificationLog::Question>();
  question->job = page.job.id;
  question->owner = page.job.owner;
  question->until = page.until;
  for (const hub::EventPtr& event : page.events) question->events.push_back(event->seq);

  const std::uint64_t number = ++asked_;
  const auto& asking = asking_[number] = std::make_unique<Asking>(*this, number, std::move(page), who, responder);
  loop_.set_timer_in(*asking, patience_ms);
  for (const LoopMemory& memory : memories_) {
    memory.loop.post([this, number, question, &log = memory.log] {
      loop_.post([this, number, memory = log.recall(*question)] { hear(number, memory); });
    });
  }
}

void NotificationsResource::hear(std::uint64_t asking, const NotificationLog::Recollection& memory) {
  const auto found = asking_.find(asking);
  if (found == asking_.end() || !found->second->take(memory)) return;
  const auto done = std::move(asking_.extract(found).mapped());
  done->answer();
}

void NotificationsResource::read_webhooks(Page& page, const hub::Principal& who) {
  std::size_t rows = 0;
  std::size_t first = page.events.size();
  while (first > 0 && (rows < rows_max || first == page.events.size())) {
    page.webhooks.push_back(webhooks_json(page.events[--first]->seq, who, rows));
  }
  std::reverse(page.webhooks.begin(), page.webhooks.end());
  if (first > 0) page.has_earlier = true;
  page.events.erase(page.events.begin(), page.events.begin() + static_cast<std::ptrdiff_t>(first));
}

std::string NotificationsResource::webhooks_json(hub::Seq event, const hub::Principal& who, std::size_t& rows) {
  if (who.role == hub::Role::worker) return "null";  // webhooks are none of a worker's business
  std::string list;
  for (const hub::DeliveryReport& delivery : reader_.deliveries_of(event, rows_max)) {
    ++rows;
    const auto endpoint = reader_.find_endpoint(delivery.endpoint);
    if (!endpoint || !ownership_.may_see(who, endpoint->owner)) continue;
    std::vector<hub::AttemptRecord> attempts;
    if (rows < rows_max) attempts = reader_.attempts_at(delivery.id, attempts_shown_max);
    rows += attempts.size();
    list += list.empty() ? "" : ",";
    list += channels::webhook::delivery_json(delivery, attempts);
    list.pop_back();
    list += R"(,"url":)";
    append_string(list, endpoint->url);
    list += '}';
  }
  return "[" + list + "]";
}

}  // namespace carillon::app
