// What an event of a batch brings to those who wait for their feeds: the next page of each, made from memory, and once
// for all to whom it says the same.
//
// Threads: one; goes before the batch.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "channels/event_payload.h"
#include "hub/ownership.h"
#include "hub/store.h"
#include "net/http/body.h"

namespace carillon::channels::polling {

struct FeedOptions {
  PayloadOptions payload;
  std::size_t page_bytes_max = 4 * 1024 * 1024;  ///< with the event that passes it a page is full
  std::string epoch;
};

class WokenPages {
 public:
  /// Pages begin with the event at `first`, and are for sights that take it in.
  WokenPages(const hub::CommitBatch& batch, std::size_t first, const FeedOptions& options)
      : batch_(batch), first_(first), options_(options) {}

  /// Stays as long as this does.
  const net::http::Body& page(const hub::Sight& sight, std::size_t limit);

 private:
  net::http::Body make(const hub::Sight& sight, std::size_t limit) const;

  const hub::CommitBatch& batch_;
  const std::size_t first_;
  const FeedOptions& options_;
  /// Of the sights that take the one event in there is one of each kind.
  std::map<std::pair<hub::Sight::Of, std::size_t>, net::http::Body> made_;
};

}  // namespace carillon::channels::polling
