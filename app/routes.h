// The table of all that can be asked for: which resource, by whom, answered by what.
//
// Threads: made before the loop begins; a router belongs to its loop.
#pragma once

#include "app/admin_resource.h"
#include "app/call_figures.h"
#include "app/door.h"
#include "app/health.h"
#include "app/jobs_resource.h"
#include "app/metrics.h"
#include "app/notifications_resource.h"
#include "app/turnstile.h"
#include "channels/polling/feed_resource.h"
#include "channels/polling/polling_resource.h"
#include "channels/webhook/default_secret_resource.h"
#include "channels/webhook/deliveries_resource.h"
#include "channels/webhook/webhooks_resource.h"
#include "channels/websocket/channel.h"
#include "net/http/router.h"

namespace carillon::app {

struct Resources {
  Door& door;
  Turnstile& turnstile;
  JobsResource& jobs;
  channels::polling::PollingResource& polling;
  channels::polling::FeedResource& feed;
  channels::webhook::WebhooksResource& webhooks;
  channels::webhook::DeliveriesResource& deliveries;
  channels::webhook::DefaultSecretResource& default_secret;
  AdminResource& admin;
  NotificationsResource& notifications;
  channels::websocket::WebSocketChannel& websocket;
  CallFigures& figures;
  const Health& health;
  const Metrics& metrics;
  bool watched_at_front;  ///< whether the listening address has /metrics, /healthz and /readyz
};

/// /metrics, /healthz and /readyz, for anyone.
void add_watch_routes(net::http::Router& router, const Health& health, const Metrics& metrics);

/// The listening address: who calls is told by the key, and must have the role.
net::http::Router make_front_routes(const Resources& resources);

/// The control socket: what an administrator may do, without a key.
net::http::Router make_control_routes(const Resources& resources);

}  // namespace carillon::app
