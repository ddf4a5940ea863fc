#include "channels/polling/woken_pages.h"

#include <algorithm>
#include <utility>

#include "channels/polling/event_json.h"

namespace carillon::channels::polling {

const net::http::Body& WokenPages::page(const hub::Sight& sight, std::size_t limit) {
  // All limits that the rest of the batch stays within are one.
  limit = std::min(limit, batch_.events.size() - first_);
  const auto [place, is_new] = made_.try_emplace({sight.of, limit});
  if (is_new) place->second = make(sight, limit);
  ++place->second.given;
  return place->second.body;
}

void WokenPages::note(NotificationLog& log) const {
  for (const auto& [of, page] : made_) {
    for (const hub::Seq seq : page.events) log.sent(seq, &Sent::polls, page.given);
  }
}

WokenPages::Page WokenPages::make(const hub::Sight& sight, std::size_t limit) const {
  FeedPage page;
  std::vector<hub::Seq> told;
  for (std::size_t i = first_; i < batch_.events.size(); ++i) {
    const hub::Event& event = *batch_.events[i];
    if (!sight.takes_in(event.owner)) continue;
    if (page.events() == limit || page.bytes() >= options_.page_bytes_max)
      return {page.end(told.empty() ? 0 : told.back(), true, options_.epoch), std::move(told)};
    page.add(event, options_.payload);
    told.push_back(event.seq);
  }
  return {page.end(batch_.last, false, options_.epoch), std::move(told)};
}

}  // namespace carillon::channels::polling
