// Deliveries over HTTP: what was sent to an endpoint, each attempt at it, and sending one again. That the caller's role
// may do so has been seen to before a handler is called; whose they are goes by the endpoint.
//
// Threads: belongs to its loop, as its reader does.
#pragma once

#include <optional>

#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::webhook {

class DeliveriesResource {
 public:
  DeliveriesResource(hub::Store& store, hub::Reader& reader, const hub::Ownership& ownership, hub::CommitListener& home)
      : store_(store), reader_(reader), ownership_(ownership), home_(home) {}

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// GET /webhooks/{id}/deliveries[?status=pending|delivered|failed&limit&cursor]: the newest first.
  void list(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /deliveries/{id}: with its attempts, of many the last hundred.
  void show(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /deliveries/{id}/redeliver: 202 with the delivery, which is sent now, whatever became of it before.
  void redeliver(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  /// The delivery that the path names; answers where the caller can see none.
  std::optional<hub::DeliveryReport> find(const Request& request, const hub::Principal& who,
                                          const Responder& responder);

  hub::Store& store_;
  hub::Reader& reader_;
  const hub::Ownership& ownership_;
  hub::CommitListener& home_;
};

}  // namespace carillon::channels::webhook
