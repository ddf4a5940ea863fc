// To how many an event was sent, of the last events there were.
//
//   seq   … 17 │ 18 19 20 … 41 42 │ 43 …
//   forgotten ─┘          opened ─┘      an event has a place from when it is first heard of until later ones need it
//
// Threads: one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "hub/id.h"

namespace carillon::channels {

struct Sent {
  std::uint32_t websocket = 0;        ///< connections that were told when it happened
  std::uint32_t websocket_later = 0;  ///< connections that were told afterwards: when they subscribed, or resumed
  std::uint32_t streams = 0;
  std::uint32_t polls = 0;  ///< answers that told it

  Sent& operator+=(const Sent& more) {
    websocket += more.websocket;
    websocket_later += more.websocket_later;
    streams += more.streams;
    polls += more.polls;
    return *this;
  }
  friend bool operator==(const Sent&, const Sent&) = default;
};

class SentCounts {
 public:
  /// What is later than `begin` can be remembered: the last `events_max` of it, rounded up to a power of two. Memory is
  /// taken as events come.
  SentCounts(std::size_t events_max, hub::Seq begin)
      : places_max_(std::bit_ceil(std::max<std::size_t>(events_max, 1))), begin_(begin), opened_(begin) {
    places_.reserve(places_max_);
  }

  /// What is not later than this is not known.
  hub::Seq forgotten() const { return std::max(begin_, opened_ - static_cast<hub::Seq>(places_max_)); }

  void open(hub::Seq last) {
    while (opened_ < last) {
      ++opened_;
      // In the order of their numbers, so the places fill from the front.
      places_.size() < places_max_ ? void(places_.emplace_back()) : void(place(opened_) = {});
    }
  }

  /// One that is forgotten is passed over.
  void add(hub::Seq seq, std::uint32_t Sent::*what, std::size_t count) {
    open(seq);
    if (seq > forgotten()) place(seq).*what += static_cast<std::uint32_t>(count);
  }

  std::optional<Sent> find(hub::Seq seq) const {
    if (seq <= forgotten() || seq > opened_) return std::nullopt;
    return places_[index(seq)];
  }

 private:
  std::size_t index(hub::Seq seq) const { return static_cast<std::size_t>(seq - begin_ - 1) & (places_max_ - 1); }
  Sent& place(hub::Seq seq) { return places_[index(seq)]; }

  const std::size_t places_max_;
  const hub::Seq begin_;
  hub::Seq opened_;
  std::vector<Sent> places_;
};

}  // namespace carillon::channels
