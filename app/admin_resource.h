// Accounts, keys and everyone's webhooks over HTTP: what the command line does, and what an administrator may do from
// afar. That the caller is one has been seen to before a handler is called.
//
// Each change is answered once it is on disk; from then on it holds on every loop.
//
// Threads: belongs to its loop, as its reader does.
#pragma once

#include "hub/clock.h"
#include "hub/principal.h"
#include "hub/store.h"
#include "net/http/router.h"

namespace carillon::app {

class AdminResource {
 public:
  AdminResource(hub::Store& store, hub::Reader& reader, const hub::Clock& clock, hub::CommitListener& home)
      : store_(store), reader_(reader), clock_(clock), home_(home) {}

  using Request = net::http::Request;
  using Responder = net::http::Responder;

  /// POST /admin/accounts {"name"}: 201; 409 when the name is taken.
  void create_account(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /admin/accounts[?name&status&limit&cursor], in the order in which they were made; GET /admin/accounts/{name}
  void list_accounts(const Request& request, const hub::Principal& who, const Responder& responder);
  void show_account(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /admin/accounts/{name}/suspend, …/resume
  void suspend_account(const Request& request, const hub::Principal& who, const Responder& responder);
  void resume_account(const Request& request, const hub::Principal& who, const Responder& responder);

  /// POST /admin/keys {"account"[,"role","name","expires_in_s" or "expires_at"]}: 201 with the secret as "key", this
  /// once.
  void create_key(const Request& request, const hub::Principal& who, const Responder& responder);
  /// GET /admin/keys[?account&role&name&limit&cursor], in the order in which they were made; GET /admin/keys/{id}
  void list_keys(const Request& request, const hub::Principal& who, const Responder& responder);
  void show_key(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /admin/keys/{id}/disable, …/enable
  void disable_key(const Request& request, const hub::Principal& who, const Responder& responder);
  void enable_key(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /admin/keys/{id}/rotate [{"overlap_s"}]: 200 with the new secret as "key", this once; the old one is taken
  /// for `overlap_s` yet (a day, unless said otherwise).
  void rotate_key(const Request& request, const hub::Principal& who, const Responder& responder);
  /// POST /admin/keys/{id}/revoke: ends the key for good; its jobs stay.
  void revoke_key(const Request& request, const hub::Principal& who, const Responder& responder);

  /// GET /admin/webhooks[?account&key&kind&limit&cursor]: everyone's, each with its account. Only so many are looked
  /// through for one answer: a page may hold fewer than were asked for, and yet not be the last.
  void list_webhooks(const Request& request, const hub::Principal& who, const Responder& responder);

 private:
  void set_account_status(const Request& request, const Responder& responder, hub::AccountStatus status);
  void set_key_status(const Request& request, const Responder& responder, hub::KeyStatus status);
  /// Of the account that owns something.
  std::string account_name(const hub::JobOwner& owner);

  hub::Store& store_;
  hub::Reader& reader_;
  const hub::Clock& clock_;
  hub::CommitListener& home_;
};

}  // namespace carillon::app
