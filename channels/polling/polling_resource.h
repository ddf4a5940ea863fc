// Jobs for whoever asks: one as it stands or as soon as it changes, lists of them, and what one went through.
//
// Threads: belongs to its loop.
#pragma once

#include <string>
#include <vector>

#include "channels/polling/channel.h"
#include "channels/query_reader.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::polling {

class PollingResource {
 public:
  explicit PollingResource(PollingChannel& channel) : channel_(channel) {}

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// GET /jobs/{id}[?wait=]: 200 and the job, 304 where If-None-Match names its present state, 404 for what is not
  /// there or not the caller's alike. With a wait, as soon as it is final, or with If-None-Match as soon as it has
  /// changed; when the time is up, as it stands. While the job is not final, Retry-After says when to ask again.
  void get_job(const Request& request, const hub::Principal& who, const Responder& responder);

  /// GET /jobs?ids=a,b,…: {"jobs":[…],"not_found":[…]}, in the order asked for; or GET /jobs[?status=&limit=&cursor=]:
  /// {"jobs":[…],"next_cursor"}, the newest first. Where results are too large together, they are left out from one job
  /// on, with a result_url in their place.
  void list(const Request& request, const hub::Principal& who, const Responder& responder);

  /// GET /jobs/{id}/events[?limit=&cursor=]: {"job_id","events":[…],"next_cursor"}: the last of its events, in order;
  /// the cursor goes on to those before.
  void list_events(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  void list_some(QueryReader& query, const std::string& ids, const hub::Principal& who, const Responder& responder);
  void list_page(QueryReader& query, const hub::Principal& who, const Responder& responder);

  PollingChannel& channel_;
};

}  // namespace carillon::channels::polling
