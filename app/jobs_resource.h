// Submitting and reporting over HTTP: where the road begins.
//
// Threads: belongs to its loop.
#pragma once

#include "channels/webhook/endpoint_url.h"
#include "hub/intake.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::app {

class JobsResource {
 public:
  JobsResource(hub::Store& store, const hub::Intake& intake, const channels::webhook::UrlPolicy& urls,
               hub::CommitListener& home)
      : store_(store), intake_(intake), urls_(urls), home_(home) {}

  /// POST /jobs: 201 with Location and the job, once it is on disk.
  void submit(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

  /// PATCH /jobs/{id}: 200 and the job, once the change is on disk.
  void report(const net::http::Request& request, const hub::Principal& who, const net::http::Responder& responder);

 private:
  hub::Store& store_;
  const hub::Intake& intake_;
  const channels::webhook::UrlPolicy& urls_;
  hub::CommitListener& home_;
};

}  // namespace carillon::app
