// The polling channel: a job as it stands, for whoever asks.
//
// Threads: belongs to its loop.
#pragma once

#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::polling {

class PollingResource {
 public:
  PollingResource(hub::Reader& reader, const hub::Ownership& ownership) : reader_(reader), ownership_(ownership) {}

  /// GET /jobs/{id}: 200 and the job, 304 where If-None-Match names its present state, 404 for what is not there or not
  /// the caller's alike. While the job is not final, Retry-After says when to ask again.
  void get_job(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

 private:
  hub::Reader& reader_;
  const hub::Ownership& ownership_;
};

}  // namespace carillon::channels::polling
