// What an event of a batch brings to those who wait for their feeds: the next page of each, made from memory, and once
// for all to whom it says the same.
//
// Threads: one; goes before the batch.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "channels/event_payload.h"
#include "channels/notification_log.h"
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

  /// For one who is answered with it. Stays as long as this does.
  const net::http::Body& page(const hub::Sight& sight, std::size_t limit);

  /// Notes of all pages to how many they were given; to be called once.
  void note(NotificationLog& log) const;

 private:
  struct Page {
    net::http::Body body;
    std::vector<hub::Seq> events;
    std::size_t given = 0;
  };
  Page make(const hub::Sight& sight, std::size_t limit) const;

  const hub::CommitBatch& batch_;
  const std::size_t first_;
  const FeedOptions& options_;
  /// Of the sights that take the one event in there is one of each kind.
  std::map<std::pair<hub::Sight::Of, std::size_t>, Page> made_;
};

}  // namespace carillon::channels::polling
