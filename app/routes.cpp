#include "app/routes.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "app/descriptions.h"
#include "channels/refusal.h"

namespace carillon::app {
namespace {

using hub::Principal;
using hub::Role;
using net::http::Method;
using net::http::Request;
using net::http::Responder;
using net::http::Router;

using Authenticated = std::function<void(const Request&, const Principal&, const Responder&)>;

/// A set of roles.
struct Roles {
  bool client = false;
  bool worker = false;
  bool admin = false;

  bool has(Role role) const {
    switch (role) {
      case Role::client:
        return client;
      case Role::worker:
        return worker;
      case Role::admin:
        return admin;
    }
    return false;
  }

  std::string text() const {
    std::string list;
    for (const Role role : {Role::client, Role::worker, Role::admin}) {
      if (has(role)) list.append(list.empty() ? "" : " or ").append(to_text(role));
    }
    return list;
  }
};

constexpr Roles anyone{true, true, true};
constexpr Roles reporters{true, true, false};
constexpr Roles clients{true, false, false};
constexpr Roles owners{true, false, true};
constexpr Roles admins{false, false, true};

/// What a handler that cannot read the store answers.
net::http::Handler answering(net::http::Handler handler) {
  return [handler = std::move(handler)](const Request& request, const Responder& responder) {
    try {
      handler(request, responder);
    } catch (const hub::StoreError&) {
      responder.send(channels::store_unreadable());
    }
  };
}

/// Lets a request through to its handler once it is known who sends it and that he may.
net::http::Handler guarded(const Resources& resources, Roles roles, CallClass call, Authenticated handler) {
  return answering([&door = resources.door, &turnstile = resources.turnstile, &times = resources.figures.times_of(call),
                    roles, call, handler = std::move(handler)](const Request& request, const Responder& responder) {
    responder.time(times);
    if (!turnstile.admits(request, responder)) return;
    const hub::AuthResult result = door.identify(request);
    if (const auto* refusal = std::get_if<hub::AuthRefusal>(&result))
      return turnstile.turn_away(*refusal, request, responder);
    const auto& who = std::get<Principal>(result);
    if (!turnstile.admits(who, call, responder)) return;
    if (!roles.has(who.role)) {
      return responder.send({403, "forbidden", "This needs a key with the role " + roles.text() + ".", {}, 0});
    }
    handler(request, who, responder);
  });
}

template <typename Resource>
Authenticated calls(Resource& resource, void (Resource::*method)(const Request&, const Principal&, const Responder&)) {
  return [&resource, method](const Request& request, const Principal& who, const Responder& responder) {
    (resource.*method)(request, who, responder);
  };
}

/// The administrator's resources, each guarded by `guard`.
template <typename Guard>
void add_admin(Router& router, AdminResource& admin, Guard&& guard) {
  const auto add = [&](Method method, std::string_view pattern,
                       void (AdminResource::*handler)(const Request&, const Principal&, const Responder&)) {
    const std::string path = std::string("/admin").append(pattern);
    router.add(method, "/api/v1" + path, guard(method, path, calls(admin, handler)));
  };
  add(Method::post, "/accounts", &AdminResource::create_account);
  add(Method::get, "/accounts", &AdminResource::list_accounts);
  add(Method::get, "/accounts/{name}", &AdminResource::show_account);
  add(Method::post, "/accounts/{name}/suspend", &AdminResource::suspend_account);
  add(Method::post, "/accounts/{name}/resume", &AdminResource::resume_account);
  add(Method::post, "/keys", &AdminResource::create_key);
  add(Method::get, "/keys", &AdminResource::list_keys);
  add(Method::get, "/keys/{id}", &AdminResource::show_key);
  add(Method::post, "/keys/{id}/disable", &AdminResource::disable_key);
  add(Method::post, "/keys/{id}/enable", &AdminResource::enable_key);
  add(Method::post, "/keys/{id}/rotate", &AdminResource::rotate_key);
  add(Method::post, "/keys/{id}/revoke", &AdminResource::revoke_key);
  add(Method::get, "/webhooks", &AdminResource::list_webhooks);
}

/// What the owner of a webhook may do with it, and an administrator, each guarded by `guard`.
template <typename Guard>
void add_webhooks(Router& router, const Resources& resources, Guard&& guard) {
  using channels::webhook::DeliveriesResource;
  using channels::webhook::WebhooksResource;
  const auto add = [&](Method method, std::string_view pattern, Authenticated handler) {
    router.add(method, std::string("/api/v1").append(pattern), guard(method, pattern, std::move(handler)));
  };
  WebhooksResource& webhooks = resources.webhooks;
  add(Method::get, "/webhooks/{id}", calls(webhooks, &WebhooksResource::show));
  add(Method::patch, "/webhooks/{id}", calls(webhooks, &WebhooksResource::change));
  add(Method::del, "/webhooks/{id}", calls(webhooks, &WebhooksResource::remove));
  add(Method::post, "/webhooks/{id}/enable", calls(webhooks, &WebhooksResource::enable));
  add(Method::post, "/webhooks/{id}/test", calls(webhooks, &WebhooksResource::test));
  add(Method::post, "/webhooks/{id}/rotate-secret", calls(webhooks, &WebhooksResource::rotate_secret));
  add(Method::post, "/webhooks/{id}/replay", calls(webhooks, &WebhooksResource::replay));
  add(Method::get, "/webhooks/{id}/deliveries", calls(resources.deliveries, &DeliveriesResource::list));
  add(Method::get, "/deliveries/{id}", calls(resources.deliveries, &DeliveriesResource::show));
  add(Method::post, "/deliveries/{id}/redeliver", calls(resources.deliveries, &DeliveriesResource::redeliver));
}

}  // namespace

void add_watch_routes(Router& router, const Health& health, const Metrics& metrics) {
  router.add(Method::get, "/healthz",
             [&health](const Request&, const Responder& responder) { responder.send(health.healthz()); });
  router.add(Method::get, "/readyz",
             [&health](const Request&, const Responder& responder) { responder.send(health.readyz()); });
  router.add(Method::get, "/metrics", [&metrics](const Request&, const Responder& responder) {
    responder.send({200, Metrics::content_type, {}, metrics.text()});
  });
}

Router make_front_routes(const Resources& resources) {
  using channels::polling::FeedResource;
  using channels::polling::PollingResource;
  using channels::webhook::DefaultSecretResource;
  using channels::webhook::WebhooksResource;
  Router router;
  const auto add = [&](Method method, std::string_view pattern, Roles roles, Authenticated handler) {
    router.add(method, std::string("/api/v1").append(pattern),
               guarded(resources, roles, class_of(method, pattern), std::move(handler)));
  };
  // The busiest first: routes are tried in this order.
  add(Method::patch, "/jobs/{id}", reporters, calls(resources.jobs, &JobsResource::report));
  add(Method::get, "/jobs/{id}", anyone, calls(resources.polling, &PollingResource::get_job));
  add(Method::post, "/jobs", reporters, calls(resources.jobs, &JobsResource::submit));
  add(Method::post, "/jobs/updates", reporters, calls(resources.jobs, &JobsResource::report_all));
  add(Method::del, "/jobs/{id}", anyone, calls(resources.jobs, &JobsResource::erase));
  add(Method::get, "/jobs", anyone, calls(resources.polling, &PollingResource::list));
  add(Method::get, "/jobs/{id}/events", anyone, calls(resources.polling, &PollingResource::list_events));
  add(Method::get, "/jobs/{id}/notifications", anyone, calls(resources.notifications, &NotificationsResource::show));
  add(Method::get, "/events", anyone, calls(resources.feed, &FeedResource::events));

  // Not guarded: a refused key is told by the WebSocket's own close code.
  router.add(Method::get, "/api/v1/ws/jobs",
             answering([&websocket = resources.websocket, &turnstile = resources.turnstile](
                           const Request& request, const Responder& responder) {
               if (turnstile.admits(request, responder)) websocket.accept(request, responder);
             }));

  add(Method::post, "/webhooks", clients, calls(resources.webhooks, &WebhooksResource::create));
  add(Method::get, "/webhooks", clients, calls(resources.webhooks, &WebhooksResource::list));
  add(Method::get, "/webhook-secret", clients, calls(resources.default_secret, &DefaultSecretResource::show));
  add(Method::post, "/webhook-secret/rotate", clients, calls(resources.default_secret, &DefaultSecretResource::rotate));

  const auto guarded_for = [&](Roles roles) {
    return [&resources, roles](Method method, std::string_view pattern, Authenticated handler) {
      return guarded(resources, roles, class_of(method, pattern), std::move(handler));
    };
  };
  add_webhooks(router, resources, guarded_for(owners));
  add_admin(router, resources.admin, guarded_for(admins));
  if (resources.watched_at_front) add_watch_routes(router, resources.health, resources.metrics);
  add_descriptions(router);
  return router;
}

Router make_control_routes(const Resources& resources) {
  Router router;
  const auto as_admin = [](Method, std::string_view, Authenticated handler) {
    return answering([handler = std::move(handler)](const Request& request, const Responder& responder) {
      handler(request, Principal{{}, {}, Role::admin}, responder);
    });
  };
  router.add(Method::get, "/api/v1/jobs/{id}/notifications",
             as_admin({}, {}, calls(resources.notifications, &NotificationsResource::show)));
  add_admin(router, resources.admin, as_admin);
  add_webhooks(router, resources, as_admin);
  add_watch_routes(router, resources.health, resources.metrics);
  return router;
}

}  // namespace carillon::app
