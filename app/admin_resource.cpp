#include "app/admin_resource.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "app/admin_bodies.h"
#include "app/admin_json.h"
#include "channels/query_reader.h"
#include "channels/refusal.h"
#include "channels/webhook/endpoint_body.h"
#include "channels/webhook/endpoint_listing.h"
#include "hub/authenticator.h"
#include "hub/id.h"

namespace carillon::app {
namespace {

using hub::Outcome;
using net::http::json_response;
using net::http::Problem;
using net::http::Responder;
using net::http::Response;

constexpr hub::UnixMs ms_per_s = 1000;
constexpr std::size_t page_limit_max = 1'000;
/// Looked through for those of one account.
constexpr std::size_t webhooks_scanned_max = 1'000;

std::string no_such_account(std::string_view name) { return "Account not found: " + std::string(name); }
std::string no_such_key(std::string_view id) { return "Key not found: " + std::string(id); }

/// The refusal's own word, or `detail` where it means that there is no such thing.
Problem problem_for(const auto& outcome, std::string detail) {
  return channels::problem_for(outcome.refusal(), outcome.detail().empty() ? std::move(detail) : outcome.detail());
}

/// An answer that holds a secret is for its asker alone.
Response secret_response(int status, std::string body) {
  Response response = json_response(status, std::move(body));
  response.with("Cache-Control", "no-store");
  return response;
}

/// The key that the path names; answers where none can have that id.
std::optional<hub::KeyId> key_of(const net::http::Request& request, const Responder& responder) {
  const std::string_view text = request.parameters[0];
  const auto id = hub::parse_id<hub::KeyTag>(text);
  if (!id) responder.send(channels::problem_for(hub::Refusal::not_found, no_such_key(text)));
  return id;
}

/// True when the body holds nothing that would be passed over; answers otherwise.
bool has_no_members(const net::http::Request& request, const Responder& responder) {
  const auto problem = channels::fault_of_body_without_members(request.body);
  if (problem) responder.send(*problem);
  return !problem;
}

}  // namespace

void AdminResource::create_account(const Request& request, const hub::Principal&, const Responder& responder) {
  auto read = read_new_account(request.body);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  std::string name = std::move(std::get<NewAccountBody>(read).name);
  store_.create_account(name, home_, [responder, name](const Outcome<hub::Account>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome, "There is an account '" + name + "' already."));
    responder.send(json_response(201, account_json(*outcome)));
  });
}

void AdminResource::list_accounts(const Request& request, const hub::Principal&, const Responder& responder) {
  channels::QueryReader query(request);
  hub::Reader::AccountPage page;
  page.name = query.take("name");
  if (const auto status = query.take("status")) {
    page.status = *status == "suspended" ? hub::AccountStatus::suspended : hub::AccountStatus::active;
    if (*status != to_text(*page.status)) query.refuse("status", "must be one of active, suspended");
  }
  page.after = query.take_cursor<hub::AccountTag>();
  const std::size_t limit = query.take_limit("limit", page.limit, page_limit_max);
  if (const auto problem = query.end()) return responder.send(*problem);
  page.limit = limit + 1;
  responder.send(json_response(200, accounts_json(reader_.accounts(page), limit)));
}

void AdminResource::show_account(const Request& request, const hub::Principal&, const Responder& responder) {
  const std::string name(request.parameters[0]);
  const auto account = reader_.find_account(name);
  if (!account) return responder.send(channels::problem_for(hub::Refusal::not_found, no_such_account(name)));
  responder.send(json_response(200, account_json(*account)));
}

void AdminResource::suspend_account(const Request& request, const hub::Principal&, const Responder& responder) {
  set_account_status(request, responder, hub::AccountStatus::suspended);
}

void AdminResource::resume_account(const Request& request, const hub::Principal&, const Responder& responder) {
  set_account_status(request, responder, hub::AccountStatus::active);
}

void AdminResource::set_account_status(const Request& request, const Responder& responder, hub::AccountStatus status) {
  if (!has_no_members(request, responder)) return;
  std::string name(request.parameters[0]);
  store_.set_account_status(name, status, home_, [responder, name](const Outcome<hub::Account>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome, no_such_account(name)));
    responder.send(json_response(200, account_json(*outcome)));
  });
}

void AdminResource::create_key(const Request& request, const hub::Principal&, const Responder& responder) {
  auto read = read_new_key(request.body, clock_.now_ms());
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);
  auto& body = std::get<NewKeyBody>(read);

  std::string secret = hub::make_key();
  hub::NewKey key;
  key.account = std::move(body.account);
  key.role = body.role;
  key.name = std::move(body.name);
  key.hash = hub::hash_key(secret);
  key.expires_at = body.expires_at;

  const std::string account = key.account;
  store_.create_key(std::move(key), home_, [this, responder, secret, account](const Outcome<hub::Key>& outcome) {
    if (outcome) return responder.send(secret_response(201, key_json(*outcome, clock_.now_ms(), {.secret = secret})));
    // The account is named in the body, not in the path: so it is a member that is wrong, not a page that is missing.
    if (outcome.refusal() == hub::Refusal::not_found) {
      return responder.send(channels::problem_for(
          std::vector<net::http::Invalid>{{"/account", "names no account of this hub: '" + account + "'"}}));
    }
    responder.send(problem_for(outcome, "The key was not made."));
  });
}

void AdminResource::list_keys(const Request& request, const hub::Principal&, const Responder& responder) {
  channels::QueryReader query(request);
  hub::Reader::KeyPage page;
  page.name = query.take("name");
  page.account = query.take("account");
  if (page.account && !reader_.find_account(*page.account)) query.refuse("account", "names no account of this hub");
  if (const auto role = query.take("role")) {
    page.role = hub::parse_role(*role);
    if (!page.role) query.refuse("role", "must be one of client, worker, admin");
  }
  page.after = query.take_cursor<hub::KeyTag>();
  const std::size_t limit = query.take_limit("limit", page.limit, page_limit_max);
  if (const auto problem = query.end()) return responder.send(*problem);
  page.limit = limit + 1;
  responder.send(json_response(200, keys_json(reader_.keys(page), limit, clock_.now_ms())));
}

void AdminResource::show_key(const Request& request, const hub::Principal&, const Responder& responder) {
  const auto id = key_of(request, responder);
  if (!id) return;
  const auto key = reader_.find_key(*id);
  if (!key) return responder.send(channels::problem_for(hub::Refusal::not_found, no_such_key(to_text(*id))));
  responder.send(json_response(200, key_json(*key, clock_.now_ms())));
}

void AdminResource::disable_key(const Request& request, const hub::Principal&, const Responder& responder) {
  set_key_status(request, responder, hub::KeyStatus::disabled);
}

void AdminResource::enable_key(const Request& request, const hub::Principal&, const Responder& responder) {
  set_key_status(request, responder, hub::KeyStatus::active);
}

void AdminResource::set_key_status(const Request& request, const Responder& responder, hub::KeyStatus status) {
  const auto id = key_of(request, responder);
  if (!id || !has_no_members(request, responder)) return;
  store_.set_key_status(*id, status, home_, [this, responder, id](const Outcome<hub::Key>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome, no_such_key(to_text(*id))));
    responder.send(json_response(200, key_json(*outcome, clock_.now_ms())));
  });
}

void AdminResource::rotate_key(const Request& request, const hub::Principal&, const Responder& responder) {
  const auto id = key_of(request, responder);
  if (!id) return;
  const auto read = read_rotation(request.body);
  if (const auto* problem = std::get_if<Problem>(&read)) return responder.send(*problem);

  const hub::UnixMs previous_until = clock_.now_ms() + std::get<RotationBody>(read).overlap_s * ms_per_s;
  std::string secret = hub::make_key();
  const hub::KeyHash hash = hub::hash_key(secret);
  store_.rotate_key(*id, hash, previous_until, home_,
                    [this, responder, id, secret, previous_until](const Outcome<hub::Key>& outcome) {
                      if (!outcome) return responder.send(problem_for(outcome, no_such_key(to_text(*id))));
                      const KeyExtras extras{.secret = secret, .previous_valid_until = previous_until};
                      responder.send(secret_response(200, key_json(*outcome, clock_.now_ms(), extras)));
                    });
}

void AdminResource::revoke_key(const Request& request, const hub::Principal&, const Responder& responder) {
  const auto id = key_of(request, responder);
  if (!id || !has_no_members(request, responder)) return;
  store_.revoke_key(*id, home_, [responder, id](const Outcome<hub::Done>& outcome) {
    if (!outcome) return responder.send(problem_for(outcome, no_such_key(to_text(*id))));
    responder.send(json_response(200, R"({"id":")" + to_text(*id) + R"(","status":"revoked"})"));
  });
}

std::string AdminResource::account_name(const hub::JobOwner& owner) {
  if (const auto key = reader_.find_key(owner.key)) return key->account_name;
  // A key that was revoked is none, while its webhooks are still shown.
  hub::Reader::AccountPage all;
  all.limit = std::numeric_limits<std::int64_t>::max();
  for (const hub::Account& account : reader_.accounts(all)) {
    if (account.id == owner.account) return account.name;
  }
  return {};
}

void AdminResource::list_webhooks(const Request& request, const hub::Principal&, const Responder& responder) {
  channels::QueryReader query(request);
  const auto listing = channels::webhook::take_endpoint_listing(query);
  const auto account = query.take("account");
  const auto key_text = query.take("key");
  const auto key = key_text ? hub::parse_id<hub::KeyTag>(*key_text) : std::nullopt;
  if (key_text && !key) query.refuse("key", "must be the id of a key, as key_…");
  const auto wanted = account ? reader_.find_account(*account) : std::nullopt;
  if (account && !wanted) query.refuse("account", "names no account of this hub");
  if (const auto problem = query.end()) return responder.send(*problem);

  const std::size_t scanned_max = account ? webhooks_scanned_max : listing.limit;
  const auto found = reader_.endpoints({key, listing.for_jobs, listing.after, scanned_max + 1});
  std::unordered_map<hub::AccountId, std::string> names;
  std::vector<std::string> page;
  std::optional<hub::EndpointId> next;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (page.size() == listing.limit || i == scanned_max) {
      next = found[i - 1].id;
      break;
    }
    const hub::JobOwner& owner = found[i].owner;
    if (wanted && owner.account != wanted->id) continue;
    const auto [name, is_new] = names.try_emplace(owner.account);
    if (is_new) name->second = wanted ? wanted->name : account_name(owner);
    page.push_back(channels::webhook::endpoint_json(found[i], {.account = name->second}));
  }
  responder.send(json_response(200, channels::webhook::endpoint_page_json(page, next)));
}

}  // namespace carillon::app
