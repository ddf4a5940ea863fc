// An account's default secret over HTTP: what the deliveries to a submission's webhook_url are signed with, where the
// submission names no secret of its own. That the caller's role may do so has been seen to before a handler is called.
//
// Threads: belongs to its loop.
#pragma once

#include <cstdint>

#include "hub/clock.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::channels::webhook {

class DefaultSecretResource {
 public:
  DefaultSecretResource(hub::Store& store, hub::CommitListener& home, const hub::Clock& clock,
                        std::int64_t secret_overlap_s)
      : store_(store), home_(home), clock_(clock), secret_overlap_s_(secret_overlap_s) {}

  /// What a rotation says nothing else of, from now on.
  void set_secret_overlap(std::int64_t secret_overlap_s) { secret_overlap_s_ = secret_overlap_s; }

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// GET /webhook-secret: {"secret"}, made when it is first asked for.
  void show(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /webhook-secret/rotate [{["secret","overlap_s"]}]: {"secret","previous_valid_until"}.
  void rotate(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  hub::Store& store_;
  hub::CommitListener& home_;
  const hub::Clock& clock_;
  std::int64_t secret_overlap_s_;
};

}  // namespace carillon::channels::webhook
