// Webhook endpoints over HTTP: registered, listed, changed, tried out and taken away by their owner. That the caller's
// role may do so has been seen to before a handler is called.
//
// An endpoint that is not there and one that is another's are answered alike, whatever the request says besides.
//
// Threads: belongs to its loop, as its reader does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "channels/webhook/endpoint_url.h"
#include "hub/clock.h"
#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::webhook {

class WebhooksResource {
 public:
  WebhooksResource(hub::Store& store, hub::Reader& reader, const hub::Ownership& ownership, hub::CommitListener& home,
                   const UrlPolicy& urls, const hub::Clock& clock, std::int64_t secret_overlap_s)
      : store_(store),
        reader_(reader),
        ownership_(ownership),
        home_(home),
        urls_(urls),
        clock_(clock),
        secret_overlap_s_(secret_overlap_s) {}

  /// What a rotation says nothing else of, from now on.
  void set_secret_overlap(std::int64_t secret_overlap_s) { secret_overlap_s_ = secret_overlap_s; }

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// POST /webhooks {"url"[, what endpoint_body.h names]}: 201 with the secret, this once; 409 for a URL that the key
  /// has registered already.
  void create(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /webhooks[?kind=registered|jobs&limit&cursor]: those of the calling key.
  void list(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /webhooks/{id}
  void show(const Request& request, const hub::Principal& who, const Responder& responder);
  /// PATCH /webhooks/{id}
  void change(const Request& request, const hub::Principal& who, const Responder& responder);
  /// DELETE /webhooks/{id}: 204; what is pending for it ends as failed.
  void remove(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /webhooks/{id}/enable
  void enable(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /webhooks/{id}/test: 202 with the delivery of webhook.test, which is sent now.
  void test(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /webhooks/{id}/rotate-secret [{["secret","overlap_s"]}]: 200 with the new secret, this once.
  void rotate_secret(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /webhooks/{id}/replay {"since"[,"until","status"]}: 200 {"sent_again"} when all of it is due.
  void replay(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  /// The endpoint that the path names; answers where the caller can see none.
  std::optional<hub::Endpoint> find(const Request& request, const hub::Principal& who, const Responder& responder);
  void apply(hub::EndpointChange change, const Responder& responder);
  /// Asks for a part of a replay, and at its answer for the next. One whose asker has gone ends there.
  void replay_on(hub::ReplaySlice slice, std::size_t sent_again, const Responder& responder);

  hub::Store& store_;
  hub::Reader& reader_;
  const hub::Ownership& ownership_;
  hub::CommitListener& home_;
  const UrlPolicy& urls_;
  const hub::Clock& clock_;
  std::int64_t secret_overlap_s_;
};

}  // namespace carillon::channels::webhook
