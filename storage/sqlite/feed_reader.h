// Reads the history for one sight of it: all, an account's events, or a key's. For the latter two, owner_spans says
// where to look (see event_log.h).
//
// Threads: those of the reader whose connection it reads on.
#pragma once

#include "hub/store.h"
#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class FeedReader {
 public:
  explicit FeedReader(sqlite3* handle);

  hub::Reader::Feed read(const hub::Reader::FeedPage& page);

 private:
  /// Reads what the statement gives, up to the page's limits; true when it gave all it had.
  static bool take(Statement& rows, const hub::Reader::FeedPage& page, hub::Reader::Feed& feed, std::size_t& bytes);
  bool take_of_account(hub::Seq block, const hub::Reader::FeedPage& page, hub::Reader::Feed& feed, std::size_t& bytes);
  void read_blocks(const hub::Reader::FeedPage& page, hub::Reader::Feed& feed);
  void read_all(const hub::Reader::FeedPage& page, hub::Reader::Feed& feed);

  Statement bounds_;
  Statement of_all_;
  Statement spans_of_account_;
  Statement of_account_;
  Statement of_key_;
};

}  // namespace carillon::storage::sqlite
