#include "channels/polling/feed_resource.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "channels/polling/event_json.h"
#include "channels/polling/wait.h"
#include "hub/json.h"
#include "net/http/negotiation.h"

namespace carillon::channels::polling {
namespace {

using net::http::Problem;

constexpr std::size_t events_default = 100;
constexpr std::size_t events_max = 1'000;
constexpr std::string_view stream_type = "text/event-stream";

/// Where to go on from, as it was asked.
struct After {
  std::optional<hub::Seq> seq;  ///< none: the beginning
  bool now = false;
};

std::optional<hub::Seq> read_seq(std::string_view text) {
  hub::Seq seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc{} || end != text.data() + text.size() || seq < 0) return std::nullopt;
  return seq;
}

/// A client that comes back asks by the same URL, and by Last-Event-ID: that one is the later.
After take_after(QueryReader& query, const net::http::Request& request, bool streamed) {
  After after;
  const auto text = query.take("after");
  if (text && *text == "now") {
    after.now = true;
  } else if (text) {
    after.seq = read_seq(*text);
    if (!after.seq) query.refuse("after", "must be the number of an event, or now");
  }
  const auto last_id = streamed ? request.field("Last-Event-ID") : std::nullopt;
  if (!last_id || last_id->empty()) return after;
  after = {read_seq(*last_id), false};
  if (!after.seq) query.refuse("Last-Event-ID", "must be the number of an event");
  return after;
}

Problem problem(int status, std::string_view code, std::string detail, const hub::Reader::Feed& feed,
                std::string_view epoch) {
  Problem problem{status, code, std::move(detail), {}, 0};
  problem.more = R"("begins_after":)";
  hub::json::append_number(problem.more, feed.begins);
  problem.more += R"(,"last":)";
  hub::json::append_number(problem.more, feed.last);
  problem.more += R"(,"epoch":)";
  hub::json::append_string(problem.more, epoch);
  return problem;
}

}  // namespace

void FeedResource::events(const Request& request, const hub::Principal& who, const Responder& responder) {
  prefers_event_stream(request) ? stream(request, who, responder) : answer(request, who, responder);
}

std::optional<hub::Reader::Feed> FeedResource::begin(QueryReader& query, const Request& request,
                                                     hub::Reader::FeedPage page, bool streamed,
                                                     const Responder& responder) {
  const std::string& own_epoch = channel_.options().feed.epoch;
  const After after = take_after(query, request, streamed);
  const auto epoch = query.take("epoch");
  if (const auto wrong = query.end()) {
    responder.send(*wrong);
    return std::nullopt;
  }
  hub::Reader& reader = channel_.reader();
  page.after = after.now ? reader.last_seq() : after.seq.value_or(0);
  hub::Reader::Feed feed = reader.feed(page);
  if (epoch && *epoch != own_epoch) {
    responder.send(problem(409, "other_history",
                           "Numbers of the epoch " + *epoch + " say nothing here: this is " + own_epoch + ".", feed,
                           own_epoch));
    return std::nullopt;
  }
  if (page.after > feed.last) {
    responder.send(problem(409, "other_history",
                           "There is no event " + std::to_string(page.after) + " yet, the last is " +
                               std::to_string(feed.last) + ": the number is of another history.",
                           feed, own_epoch));
    return std::nullopt;
  }
  if (page.after >= feed.begins) return feed;
  if (after.seq) {
    responder.send(problem(410, "events_gone",
                           "Events up to " + std::to_string(feed.begins) +
                               " are no longer kept: go on with after=" + std::to_string(feed.begins) + ".",
                           feed, own_epoch));
    return std::nullopt;
  }
  page.after = feed.begins;
  return reader.feed(page);
}

void FeedResource::answer(const Request& request, const hub::Principal& who, const Responder& responder) {
  const PollingOptions& options = channel_.options();
  QueryReader query(request);
  const Wait wait = take_wait(query, request, options.wait_max_s);
  hub::Reader::FeedPage asked;
  asked.of = channel_.ownership().sight_of(who);
  asked.events_max = query.take_limit("limit", events_default, events_max);
  asked.bytes_max = options.feed.page_bytes_max;
  const auto feed = begin(query, request, asked, false, responder);
  if (!feed) return;

  const bool has_more = feed->through < feed->last;
  if (feed->events.empty() && !has_more && wait.seconds > 0) {
    if (!channel_.admit(who, responder)) return;
    return channel_.feed_polls().wait(channel_.guests(), who, responder,
                                      {asked.of, feed->last, asked.events_max, wait});
  }
  FeedPage page;
  for (const hub::EventPtr& event : feed->events) {
    page.add(*event, options.feed.payload);
    channel_.log().sent(event->seq, &Sent::polls);
  }
  responder.send(page_response(page.end(feed->through, has_more, options.feed.epoch), wait));
}

void FeedResource::stream(const Request& request, const hub::Principal& who, const Responder& responder) {
  QueryReader query(request);
  hub::Reader::FeedPage asked;
  asked.of = channel_.ownership().sight_of(who);
  asked.events_max = EventStreams::page_events_max;
  asked.bytes_max = EventStreams::page_bytes_max;
  const auto feed = begin(query, request, asked, true, responder);
  if (!feed) return;
  if (request.method == net::http::Method::head) {
    net::http::Response head{200, stream_type, {}, {}};
    return responder.send(std::move(head.with("Cache-Control", "no-store")));
  }
  if (!channel_.admit(who, responder)) return;
  responder.upgrade(EventStreams::head(), [&](net::Connection& connection) {
    return channel_.streams().open(connection, channel_.guests(), who, asked.of, *feed);
  });
}

bool prefers_event_stream(const net::http::Request& request) {
  net::http::AcceptedType stream(stream_type);
  net::http::AcceptedType json(net::http::json_type);
  for (const net::http::Field& field : request.fields) {
    if (!net::http::same_name(field.name, "Accept")) continue;
    stream.add(field.value);
    json.add(field.value);
  }
  if (stream.weight() != json.weight()) return stream.weight() > json.weight();
  return stream.weight() > 0 && stream.named();
}

}  // namespace carillon::channels::polling
