#include "channels/polling/event_streams.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "channels/polling/event_json.h"
#include "hub/json.h"

namespace carillon::channels::polling {
namespace {

const net::SharedBytes& heartbeat() {
  static const net::SharedBytes comment = std::make_shared<const std::string>(": heartbeat\n\n");
  return comment;
}

/// How long the client is to wait before it comes back: not all of them at the same time.
std::string opening() { return "retry: " + std::to_string(1'000 + hub::random_number() % 4'000) + "\n\n"; }

}  // namespace

class EventStreams::Stream final : public net::Protocol, public Guest, public RingOf<Stream>::Place {
 public:
  Stream(EventStreams& streams, net::Connection& connection, Guests& guests, const hub::Principal& who,
         const hub::Sight& sight, const hub::Reader::Feed& begin)
      : Guest(guests, who), streams_(streams), connection_(connection), by_(who.key), sight_(sight), catch_up_(*this) {
    ++streams_.streams_;
    const net::MonotonicMs interval = streams_.options_.heartbeat_ms;
    // Those that came together do not beat together.
    heartbeat_at_ms_ =
        now_ms() + interval -
        static_cast<net::MonotonicMs>(hub::random_number() % static_cast<std::uint64_t>(interval / 2 + 1));
    connection_.write(opening());
    take(begin);
    set_deadline();
  }
  ~Stream() override { on_gone(); }

  // --- what comes in: nothing that anyone reads ---

  std::size_t on_bytes(std::string_view bytes) override { return bytes.size(); }
  /// A client that sends no more may still read: it is told that this is the end.
  void on_end_of_input() override { dismiss(); }
  void on_gone() noexcept override {
    if (!std::exchange(gone_, true)) --streams_.streams_;
    retire();
  }

  // --- what goes out ---

  /// An event of a batch, while it is live. False when that is more than may wait: it is to be dropped, but not now.
  bool tell(const hub::Event& event) {
    if (event.seq <= through_) return true;
    through_ = event.seq;
    const net::SharedBytes& frame = streams_.frame_of(event);
    if (!has_room(frame->size())) return false;
    connection_.write(frame);
    ++streams_.told_;
    return true;
  }

  void drop_slow(std::string_view why) {
    if (!gone_) {
      ++streams_.slow_;
      note_drop(why);
    }
    connection_.drop();
  }

  void dismiss() override {
    retire();
    connection_.end();
  }
  void turn_away(hub::AuthRefusal) override {
    note_drop("key_refused");
    connection_.discard_unsent();
    dismiss();
  }

  // --- time ---

  void on_blocked() override { set_deadline(); }
  void on_time() override {
    if (key_has_ended()) return turn_away(hub::AuthRefusal::expired);
    if (connection_.blocked() && now_ms() - connection_.unsent_since_ms() >= streams_.options_.slow_client_ms)
      return drop_slow("slow_by_age");
    if (now_ms() >= heartbeat_at_ms_) {
      const net::MonotonicMs interval = streams_.options_.heartbeat_ms;
      heartbeat_at_ms_ += interval * (1 + (now_ms() - heartbeat_at_ms_) / interval);
      if (!connection_.blocked()) connection_.write(heartbeat());
    }
    set_deadline();
  }

 private:
  class CatchUp final : public net::Timer {
   public:
    explicit CatchUp(Stream& stream) : stream_(stream) {}

   private:
    void on_timer() override { stream_.read_on(); }
    Stream& stream_;
  };

  /// Nothing more is read for it, and it is told nothing more; idempotent.
  void retire() noexcept {
    catch_up_.cancel();
    RingOf<Stream>::Place::leave();
    streams_.live_.drop_if_empty(sight_);
    give_place_back();
  }

  void note_drop(std::string_view why) noexcept {
    streams_.log_.dropped({guests().clock().now_ms(), by_, "stream", why}, sight_, [](auto&&) {});
  }

  net::MonotonicMs now_ms() const { return connection_.loop().now_ms(); }

  bool has_room(std::size_t bytes) const {
    // What was not offered to the kernel yet may be passed by the last frame, for it may be larger than all the room.
    const std::size_t more = connection_.blocked() ? bytes : 0;
    return connection_.unsent_cost_bytes() + more <= streams_.options_.queue_bytes_max;
  }

  void set_deadline() {
    net::MonotonicMs at = key_ends_ms(heartbeat_at_ms_);
    if (connection_.blocked()) at = std::min(at, connection_.unsent_since_ms() + streams_.options_.slow_client_ms);
    connection_.set_timer_at(at);
  }
  void on_key_time_changed() override { set_deadline(); }

  void read_on() {
    // A page at a time, and none while the client has not taken half of what may wait for it.
    if (connection_.unsent_bytes() > streams_.options_.queue_bytes_max / 2)
      return connection_.loop().set_timer_in(catch_up_, 1);
    try {
      const auto page = streams_.reader_.feed({sight_, through_, page_events_max, page_bytes_max});
      // What it should have been told next is no longer kept: it hears so when it comes back.
      if (through_ < page.begins) return dismiss();
      take(page);
    } catch (const hub::StoreError&) {
      dismiss();
    }
  }

  void take(const hub::Reader::Feed& page) {
    for (const hub::EventPtr& event : page.events) {
      connection_.write(streams_.frame_of(*event));
      streams_.log_.sent(event->seq, &Sent::streams);
    }
    through_ = page.through;
    if (page.through == page.last) return streams_.live_.add(sight_, *this);
    connection_.loop().set_timer_in(catch_up_, 0);
  }

  EventStreams& streams_;
  net::Connection& connection_;
  hub::KeyId by_;
  hub::Sight sight_;
  hub::Seq through_ = 0;  ///< all of its sight up to here was told
  net::MonotonicMs heartbeat_at_ms_ = 0;
  CatchUp catch_up_;
  bool gone_ = false;
};

std::string EventStreams::head() {
  return "HTTP/1.1 200 OK\r\n"
         "Content-Type: text/event-stream\r\n"
         "Cache-Control: no-store\r\n"
         "X-Accel-Buffering: no\r\n"
         "Connection: close\r\n\r\n";
}

std::unique_ptr<net::Protocol> EventStreams::open(net::Connection& connection, Guests& guests,
                                                  const hub::Principal& who, const hub::Sight& sight,
                                                  const hub::Reader::Feed& begin) {
  return std::make_unique<Stream>(*this, connection, guests, who, sight, begin);
}

void EventStreams::on_commit(const hub::CommitBatch& batch) {
  if (live_.empty()) return;
  for (const hub::EventPtr& event : batch.events) {
    told_ = 0;
    live_.for_each_of(event->owner, [&](RingOf<Stream>& streams) {
      streams.for_each([&](Stream& stream) {
        if (!stream.tell(*event)) too_slow_.push_back(&stream);
      });
    });
    if (told_ > 0) log_.sent(event->seq, &Sent::streams, told_);
  }
  // Whoever is dropped leaves the lists that were walked, so it waits until they are not.
  for (Stream* const stream : too_slow_) stream->drop_slow("slow_by_bytes");
  too_slow_.clear();
}

const net::SharedBytes& EventStreams::frame_of(const hub::Event& event) const {
  return event.rendition(hub::Rendition::stream_frame, [&] { return event_frame(event, options_.payload); });
}

std::string event_frame(const hub::Event& event, const PayloadOptions& options) {
  std::string json;
  append_event(json, event, options);
  std::string frame = "id: ";
  hub::json::append_number(frame, event.seq);
  frame.append("\nevent: ").append(to_text(event.kind)).append("\ndata: ");
  // JSON may go over several lines; what a reporter sent is not touched but for their ends, which a stream has its own
  // of.
  for (std::string_view rest = json;;) {
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    frame += rest.substr(0, end);
    if (end == rest.size()) break;
    rest.remove_prefix(rest.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    frame += "\ndata: ";
  }
  return frame += "\n\n";
}

}  // namespace carillon::channels::polling
