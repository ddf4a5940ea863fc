// Webhook endpoints over HTTP: registered, listed, changed and taken away by their owner. That the caller's role may do
// so has been seen to before a handler is called.
//
// Threads: belongs to its loop, as its reader does.
#pragma once

#include "channels/webhook/endpoint_url.h"
#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::webhook {

class WebhooksResource {
 public:
  WebhooksResource(hub::Store& store, hub::Reader& reader, const hub::Ownership& ownership, hub::CommitListener& home,
                   const UrlPolicy& urls)
      : store_(store), reader_(reader), ownership_(ownership), home_(home), urls_(urls) {}

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// POST /webhooks {"url"[,"events","description","secret"]}: 201 with the secret, this once; 409 for a URL that the
  /// key has registered already.
  void create(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /webhooks: those of the calling key.
  void list(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /webhooks/{id}
  void show(const Request& request, const hub::Principal& who, const Responder& responder);
  /// PATCH /webhooks/{id} {["url","events","description"]}
  void change(const Request& request, const hub::Principal& who, const Responder& responder);
  /// DELETE /webhooks/{id}: 204; what is pending for it ends as failed.
  void remove(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /webhooks/{id}/enable
  void enable(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  void apply(hub::EndpointChange change, const Responder& responder);

  hub::Store& store_;
  hub::Reader& reader_;
  const hub::Ownership& ownership_;
  hub::CommitListener& home_;
  const UrlPolicy& urls_;
};

}  // namespace carillon::channels::webhook
