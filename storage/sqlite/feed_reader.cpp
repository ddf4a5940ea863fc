#include "storage/sqlite/feed_reader.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "storage/sqlite/event_log.h"
#include "storage/sqlite/moment.h"
#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {
namespace {

using hub::Reader;

/// Some four million events, looked past in a millisecond or two.
constexpr int blocks_per_page_max = 1'000;

std::string feed_of(std::string_view spans, std::string_view condition) {
  std::string sql = select(event_columns, spans);
  sql.append(" LEFT JOIN jobs AS j ON j.n = v.job LEFT JOIN owner_events AS o ON o.seq = v.seq AND v.job = 0 WHERE ");
  return sql.append(condition);
}

}  // namespace

FeedReader::FeedReader(sqlite3* handle)
    : bounds_(handle,
              "SELECT max(coalesce((SELECT max(seq) FROM events), 0), CAST(value AS INTEGER)), max(coalesce((SELECT "
              "min(seq) FROM events), 1) - 1, "
              "CAST(value AS INTEGER)) FROM meta WHERE name = 'events_gone_to'"),
      of_all_(handle, feed_of("events AS v", "v.seq > ?1 ORDER BY v.seq")),
      // Its keys' spans have to be put in order; their events, which may be large, need not.
      spans_of_account_(handle,
                        "SELECT DISTINCT span FROM owner_spans WHERE block = ? AND owner_account = ? ORDER BY span"),
      of_account_(handle, feed_of("events AS v",
                                  "v.seq > ?1 AND v.seq < (?2 + 1) << 6 AND "
                                  "v.owner_account = ?3 ORDER BY v.seq")),
      of_key_(handle, feed_of("owner_spans AS s CROSS JOIN events AS v",
                              "s.block = ?2 AND s.owner_account = ?3 AND s.owner_key = ?4 AND s.span >= ?1 >> 6 AND "
                              "v.seq >= max(?1 + 1, s.span << 6) AND v.seq < (s.span + 1) << 6 AND "
                              "v.owner_key = ?4 ORDER BY s.span, v.seq")) {
  static_assert(span_bits == 6, "the statements above say so");
}

Reader::Feed FeedReader::read(const Reader::FeedPage& page) {
  bounds_.bind().step();
  const Moment moment(bounds_);
  Reader::Feed feed;
  feed.last = bounds_.integer(0);
  feed.begins = std::min(bounds_.integer(1), feed.last);
  feed.through = page.after;
  if (page.after < feed.begins || page.after >= feed.last) return feed;
  page.of.of == hub::Sight::Of::all ? read_all(page, feed) : read_blocks(page, feed);
  return feed;
}

void FeedReader::read_all(const Reader::FeedPage& page, Reader::Feed& feed) {
  std::size_t bytes = 0;
  if (take(of_all_.bind(page.after), page, feed, bytes)) feed.through = feed.last;
}

void FeedReader::read_blocks(const Reader::FeedPage& page, Reader::Feed& feed) {
  const bool of_key = page.of.of == hub::Sight::Of::key;
  std::size_t bytes = 0;
  const hub::Seq last_block = feed.last >> block_bits;
  hub::Seq block = (page.after + 1) >> block_bits;
  for (int looked = 0; block <= last_block && looked < blocks_per_page_max; ++block, ++looked) {
    const bool whole = of_key ? take(of_key_.bind(page.after, block, page.of.account, page.of.key), page, feed, bytes)
                              : take_of_account(block, page, feed, bytes);
    if (!whole) return;
  }
  feed.through = std::min(feed.last, (block << block_bits) - 1);
}

bool FeedReader::take_of_account(hub::Seq block, const Reader::FeedPage& page, Reader::Feed& feed, std::size_t& bytes) {
  const Moment moment(spans_of_account_.bind(block, page.of.account));
  while (spans_of_account_.step()) {
    const hub::Seq span = spans_of_account_.integer(0);
    const hub::Seq after = std::max(page.after, (span << span_bits) - 1);
    if (!take(of_account_.bind(after, span, page.of.account), page, feed, bytes)) return false;
  }
  return true;
}

bool FeedReader::take(Statement& rows, const Reader::FeedPage& page, Reader::Feed& feed, std::size_t& bytes) {
  const Moment moment(rows);
  const auto full = [&] { return feed.events.size() >= page.events_max || bytes >= page.bytes_max; };
  // That it is full is found out when there would be more.
  while (rows.step()) {
    if (full()) return false;
    feed.events.push_back(read_event(rows, 0));
    const hub::Event& event = *feed.events.back();
    feed.through = event.seq;
    for (const hub::Text* text : {&event.progress, &event.error, &event.result}) bytes += *text ? (*text)->size() : 0;
  }
  return true;
}

}  // namespace carillon::storage::sqlite
