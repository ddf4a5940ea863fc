#include "app/settings.h"

#include <algorithm>
#include <cctype>

#include "app/settings_kinds.h"
#include "app/settings_table.h"

namespace carillon::app {
namespace {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;
constexpr std::int64_t day_s = 24 * 3600;

/// A row's way to its member.
// NOLINTBEGIN(bugprone-macro-parentheses): a member is named without them.
#define CARILLON_MEMBER(path) \
  [](auto& settings) -> auto& { return settings.path; }
// NOLINTEND(bugprone-macro-parentheses)

std::vector<Setting> make_table() {
  using namespace kinds;
  return {
      text("listen", CARILLON_MEMBER(listen), is_address, "an address with a port, like 127.0.0.1:8080 or [::1]:8080",
           "Address and port to serve HTTP and WebSocket on; port 0 takes a free one."),
      text("data", CARILLON_MEMBER(data), is_filled, "the path of a directory",
           "Directory that holds everything the hub keeps; made if need be."),
      choice("ownership", CARILLON_MEMBER(ownership),
             {{"key", hub::OwnershipScope::key}, {"account", hub::OwnershipScope::account}},
             "Whose jobs a client key sees: those submitted for it alone (key), or for any key of its account "
             "(account)."),
      number("loops", CARILLON_MEMBER(loops), 0, 256, "Event loops, each a thread; 0: one a core."),
      live(text("tls_cert", CARILLON_MEMBER(tls_cert), is_readable_or_empty,
                "the path of a readable file (PEM), or empty",
                "Certificate with its chain, the server's own first; with it the listening address speaks TLS alone.")),
      live(text("tls_key", CARILLON_MEMBER(tls_key), is_readable_or_empty,
                "the path of a readable file (PEM), or empty", "Private key of the certificate, not encrypted.")),
      live(
          text("public_url", CARILLON_MEMBER(public_url), is_public_url_or_empty,
               "an http:// or https:// URL with nothing behind host and port, like https://hub.example.com, or empty",
               "Where clients reach this hub; a webhook whose result is too large says where to fetch it (result_url). "
               "Empty: it says the path alone.")),
      text(
          "metrics_listen", CARILLON_MEMBER(metrics_listen), is_address_or_empty,
          "an address with a port, like 127.0.0.1:9090 or [::1]:9090, or empty",
          "Address and port where /metrics, /healthz and /readyz are served, by a thread of their own, over plain HTTP "
          "and without a key; then listen has them no more. Empty: listen has them."),

      choice("log.format", CARILLON_MEMBER(log.format), {{"text", LogFormat::text}, {"json", LogFormat::json}},
             "How log lines are written to standard error."),
      live(choice("log.level", CARILLON_MEMBER(log.level),
                  {{"error", LogLevel::error},
                   {"warning", LogLevel::warning},
                   {"info", LogLevel::info},
                   {"debug", LogLevel::debug}},
                  "The least grave that is logged.")),
      live(
          boolean("log.access", CARILLON_MEMBER(log.access),
                  "Whether every request has a line in the log, at level info: method, path (no query), status, bytes, "
                  "microseconds, the key's id, address and request id.")),

      live(number("limits.head_bytes", CARILLON_MEMBER(limits.head_bytes), kib, mib,
                  "Bytes of a request's head; a larger one is answered 431.")),
      live(number("limits.body_bytes", CARILLON_MEMBER(limits.body_bytes), kib, gib,
                  "Bytes of a request's body; a larger one is answered 413.")),
      live(number("limits.result_bytes", CARILLON_MEMBER(limits.result_bytes), kib, gib,
                  "Bytes of a job's result; a larger one is refused.")),
      live(number("limits.progress_bytes", CARILLON_MEMBER(limits.progress_bytes), 64, mib,
                  "Bytes of a job's progress; larger is refused.")),
      live(number("limits.metadata_bytes", CARILLON_MEMBER(limits.metadata_bytes), 64, 16 * mib,
                  "Bytes of a job's metadata; larger is refused.")),
      live(number("limits.error_bytes", CARILLON_MEMBER(limits.error_bytes), 64, 16 * mib,
                  "Bytes of a failed job's error text; a longer one is refused.")),
      live(number("limits.updates", CARILLON_MEMBER(limits.updates), 1, 100'000,
                  "Reports in one POST /jobs/updates; one with more is answered 413.")),
      live(number("limits.idempotency_key_bytes", CARILLON_MEMBER(limits.idempotency_key_bytes), 36, 4 * kib,
                  "Characters of an Idempotency-Key; a longer one is answered 400.")),
      live(number("limits.head_timeout_s", CARILLON_MEMBER(limits.head_timeout_s), 1, 3600,
                  "Seconds to send a whole request head; then 408 and the connection is closed.")),
      live(number("limits.body_timeout_s", CARILLON_MEMBER(limits.body_timeout_s), 1, 3600,
                  "Seconds to send a whole request body; then 408 and the connection is closed.")),
      live(number("limits.idle_timeout_s", CARILLON_MEMBER(limits.idle_timeout_s), 1, day_s,
                  "Seconds a kept-alive connection may stay without a request before it is closed.")),
      live(number("limits.connections", CARILLON_MEMBER(limits.connections), 1, 10'000'000,
                  "Open connections in all; those beyond are answered 503 and closed.")),
      live(number(
          "limits.writes_per_second", CARILLON_MEMBER(limits.writes_per_second), 0, 100'000,
          "Calls a second with one key that submit, report or change something; those beyond are answered 429 with "
          "Retry-After. 0: no limit.")),
      live(number("limits.polls_per_second", CARILLON_MEMBER(limits.polls_per_second), 0, 100'000,
                  "Calls a second with one key that ask for one job; those beyond are answered 429. 0: no limit.")),
      live(number("limits.lists_per_second", CARILLON_MEMBER(limits.lists_per_second), 0, 100'000,
                  "Calls a second with one key that read anything else; those beyond are answered 429. 0: no limit.")),
      live(number("limits.admin_per_second", CARILLON_MEMBER(limits.admin_per_second), 0, 100'000,
                  "Calls a second with one key to the administrator's resources; those beyond are answered 429. 0: no "
                  "limit.")),
      live(number(
          "limits.calls_per_second_per_address", CARILLON_MEMBER(limits.calls_per_second_per_address), 0, 100'000,
          "Calls a second of any class from one address (of IPv6, one /64), WebSocket handshakes too, counted before "
          "the key is looked at; those beyond are answered 429. Behind a proxy all come from its address. 0: no "
          "limit.")),
      live(number("limits.burst_s", CARILLON_MEMBER(limits.burst_s), 1, 3600,
                  "Seconds' worth of such calls that may come at once.")),
      live(number(
          "limits.rate_entries", CARILLON_MEMBER(limits.rate_entries), 8, 16'777'216,
          "Keys, each for each class of call, that are counted at one time, and as many addresses, 16 bytes each; "
          "where "
          "more call, one that has called little starts anew.")),
      live(
          number("limits.refusals_per_address", CARILLON_MEMBER(limits.refusals_per_address), 0, 1'000'000,
                 "Refused keys from one address that are answered 401; those after these, counted together with the "
                 "WebSocket's and forgotten as websocket.refusal_forget_s has it, 429 with a Retry-After that grows as "
                 "websocket.refusal_delay_ms does. 0: no limit.")),

      live(list("http.cors_origins", CARILLON_MEMBER(http.cors_origins), is_origin_or_any,
                "a list of origins, like https://app.example.com, with nothing behind host and port, or *",
                "Origins of web pages that may read answers (CORS); \"*\" stands for all. Empty: none.")),
      live(number("http.gzip_min_bytes", CARILLON_MEMBER(http.gzip_min_bytes), 0, gib,
                  "Bytes of an answer from which on it is compressed (gzip) for clients that take it. 0: none is.")),
      live(number(
          "http.gzip_max_bytes", CARILLON_MEMBER(http.gzip_max_bytes), 0, gib,
          "Bytes of an answer up to which it is compressed; larger ones are sent plain, for compressing them would "
          "hold up the other connections of the loop.")),
      live(boolean("http.server_timing", CARILLON_MEMBER(http.server_timing),
                   "Whether answers say how long they took (Server-Timing).")),

      number("store.queue_max", CARILLON_MEMBER(store.queue_max), 1, 10'000'000,
             "Changes that may wait for a commit; those beyond are answered 503 with Retry-After."),
      number("store.batch_max", CARILLON_MEMBER(store.batch_max), 1, 100'000, "Changes that one commit may hold."),
      number("store.keep_jobs_s", CARILLON_MEMBER(store.keep_jobs_s), 0, 3650 * day_s,
             "Seconds that a job is kept after it has succeeded or failed, with its result, metadata, events and "
             "deliveries. 0: for ever."),
      number(
          "store.keep_events_s", CARILLON_MEMBER(store.keep_events_s), 0, 3650 * day_s,
          "Seconds that events are kept, and no longer than jobs are: who asks for what came before is answered 410, "
          "or recovered:false. 0: as long as jobs."),
      number("store.idempotency_keep_s", CARILLON_MEMBER(store.idempotency_keep_s), 1, 30 * day_s,
             "Seconds that a submission which came with an Idempotency-Key is known by it: sent again, it is given the "
             "same answer."),
      number("store.key_uses_s", CARILLON_MEMBER(store.key_uses_s), 1, day_s,
             "Seconds to which it is known when an API key was last used (last_used_at); written together, once in so "
             "many seconds."),
      live(number(
          "store.disk_free_min_bytes", CARILLON_MEMBER(store.disk_free_min_bytes), 0, 1024 * gib,
          "Bytes free on the data directory's disk below which the hub says that it is not ready (disk_low); it goes "
          "on serving for as long as the store can write. 0: it does not look.")),

      number("watchdog.loop_s", CARILLON_MEMBER(watchdog.loop_s), 0, 3600,
             "Seconds without an answer after which an event loop, or the webhooks' thread, counts as stuck: /healthz "
             "and /readyz say 503, and systemd is not told that all is well. 0: they are not watched."),
      number("watchdog.commit_s", CARILLON_MEMBER(watchdog.commit_s), 0, 3600,
             "Seconds that one commit may take before the store counts as stuck, with the same answers. 0: it is not "
             "watched."),

      live(number("websocket.heartbeat_s", CARILLON_MEMBER(websocket.heartbeat_s), 1, 3600,
                  "Seconds between two heartbeat messages on a connection.")),
      live(number(
          "websocket.slow_client_ms", CARILLON_MEMBER(websocket.slow_client_ms), 100, 600'000,
          "Milliseconds that what is sent to a client may wait for it to be taken; then it is closed with 1008.")),
      live(number("websocket.queue_bytes", CARILLON_MEMBER(websocket.queue_bytes), 64 * kib, gib,
                  "Bytes that may wait for one client; beyond it is closed with 1008.")),
      live(number("websocket.message_bytes", CARILLON_MEMBER(websocket.message_bytes), kib, 16 * mib,
                  "Bytes of one message from a client; a larger one closes its connection with 1009.")),
      live(number("websocket.subscriptions", CARILLON_MEMBER(websocket.subscriptions), 1, 1'000'000,
                  "Jobs that one connection may be subscribed to; the next subscribe is answered with an error.")),
      live(number("websocket.job_ids", CARILLON_MEMBER(websocket.job_ids), 1, 100'000,
                  "Jobs that one message may name; one with more is answered with an error.")),
      live(number("websocket.replay_events", CARILLON_MEMBER(websocket.replay_events), 0, 1'000'000,
                  "Missed events that one subscribe with after is told; who has missed more is told recovered:false.")),
      live(number("websocket.connections", CARILLON_MEMBER(websocket.connections), 1, 10'000'000,
                  "Open WebSockets in all; one beyond is closed with 1013 right after its handshake.")),
      live(number(
          "websocket.connections_per_key", CARILLON_MEMBER(websocket.connections_per_key), 0, 10'000'000,
          "Open WebSockets with one key; one beyond is closed with 1008 right after its handshake. 0: no limit.")),
      live(number(
          "websocket.subscriptions_per_key", CARILLON_MEMBER(websocket.subscriptions_per_key), 0, 1'000'000'000,
          "Jobs that all connections of one key may be subscribed to together; the next subscribe is answered with "
          "an error. 0: no limit.")),
      live(number(
          "websocket.handshakes_per_second", CARILLON_MEMBER(websocket.handshakes_per_second), 0, 1'000'000,
          "Handshakes a second that are gone into; the rest is answered 503, each with a Retry-After that lets it "
          "come in evenly. 0: no limit.")),
      live(number("websocket.retry_after_max_s", CARILLON_MEMBER(websocket.retry_after_max_s), 1, 3600,
                  "Seconds that such a Retry-After says at most.")),
      live(number(
          "websocket.messages_per_second", CARILLON_MEMBER(websocket.messages_per_second), 0, 1'000'000,
          "Messages and pings a second from one client, as many at once as a second brings; one beyond closes its "
          "connection with 1008. 0: no limit.")),
      live(list(
          "websocket.origins", CARILLON_MEMBER(websocket.origins), is_origin,
          "a list of origins, like https://app.example.com, with nothing behind host and port",
          "Origins of web pages that may connect; another is answered 403. Empty: any. Clients that send no Origin "
          "are no web pages and may connect.")),
      live(number("websocket.refusals_free", CARILLON_MEMBER(websocket.refusals_free), 0, 1'000'000,
                  "Refused keys from one address that are answered at once; the answers after these are held back.")),
      live(number(
          "websocket.refusal_delay_ms", CARILLON_MEMBER(websocket.refusal_delay_ms), 0, 60'000,
          "Milliseconds that the first of these answers is held back, each one after it twice as long. 0: none is "
          "ever held back.")),
      live(number(
          "websocket.refusal_delay_max_ms", CARILLON_MEMBER(websocket.refusal_delay_max_ms), 1, 60'000,
          "Milliseconds that such an answer is held back at most; most clients give a handshake up after 10000.")),
      live(number("websocket.refusal_forget_s", CARILLON_MEMBER(websocket.refusal_forget_s), 1, day_s,
                  "Seconds after its last refused key that an address is forgotten.")),
      live(number("websocket.refusal_addresses", CARILLON_MEMBER(websocket.refusal_addresses), 1, 10'000'000,
                  "Addresses whose refused keys are counted; beyond, the one refused longest ago is forgotten.")),
      live(number(
          "websocket.refusals_held", CARILLON_MEMBER(websocket.refusals_held), 0, 1'000'000,
          "Answers to refused keys that are held back at one time; those beyond are answered 503 with Retry-After.")),
      live(
          number("websocket.drain_ms", CARILLON_MEMBER(websocket.drain_ms), 0, 600'000,
                 "Milliseconds over which a hub that ends closes its WebSockets with 1001, one after the other; 100 or "
                 "fewer are closed at once.")),
      boolean("websocket.deflate", CARILLON_MEMBER(websocket.deflate),
              "Whether messages are deflated (permessage-deflate) for clients that offer it."),
      number("websocket.deflate_level", CARILLON_MEMBER(websocket.deflate_level), 1, 9,
             "How hard to try for small messages, from 1 (fast) to 9 (small)."),
      number("websocket.deflate_min_bytes", CARILLON_MEMBER(websocket.deflate_min_bytes), 64, gib,
             "Bytes from which on a frame is deflated; smaller ones are sent plain."),
      number("websocket.deflate_max_bytes", CARILLON_MEMBER(websocket.deflate_max_bytes), 64, gib,
             "Bytes up to which a frame is deflated; larger ones are sent plain, for deflating them would hold up the "
             "other connections of the loop."),

      live(number("polling.wait_max_s", CARILLON_MEMBER(polling.wait_max_s), 0, 600,
                  "Seconds that a poll may ask to wait for a change (?wait=). 0: none waits.")),
      live(number(
          "polling.waiting_max", CARILLON_MEMBER(polling.waiting_max), 0, 10'000'000,
          "Polls that wait and event streams that are open, in all; one beyond is answered 503 with Retry-After.")),
      number("polling.waiting_per_key", CARILLON_MEMBER(polling.waiting_per_key), 0, 10'000'000,
             "Those of one key; one beyond is answered 429 with Retry-After. 0: no limit."),
      live(number(
          "polling.retry_after_max_s", CARILLON_MEMBER(polling.retry_after_max_s), 1, 3600,
          "Seconds that Retry-After says at most of a job that is not final: a tenth of the time it has not changed "
          "for, up to this.")),
      live(number(
          "polling.page_bytes", CARILLON_MEMBER(polling.page_bytes), 64 * kib, gib,
          "Bytes of results, errors and progress in one page of events, which is full with the event that passes it, "
          "or of results in one list of jobs, which says where to fetch the others.")),
      live(number("polling.heartbeat_s", CARILLON_MEMBER(polling.heartbeat_s), 1, 3600,
                  "Seconds between two heartbeat comments on an event stream.")),
      live(number("polling.slow_client_ms", CARILLON_MEMBER(polling.slow_client_ms), 100, 600'000,
                  "Milliseconds that what is streamed to a client may wait for it to be taken; then it is dropped.")),
      live(number("polling.queue_bytes", CARILLON_MEMBER(polling.queue_bytes), 64 * kib, gib,
                  "Bytes that may wait for one stream's client; beyond it is dropped.")),

      number(
          "notifications.events", CARILLON_MEMBER(notifications.events), 1'024, 16'777'216,
          "Events of which it is remembered to how many connections and polls they were sent, the last ones, 16 bytes "
          "each on each loop; rounded up to a power of two."),
      number("notifications.drops", CARILLON_MEMBER(notifications.drops), 16, 1'048'576,
             "Dropped connections that are remembered, the last ones, each for each job that it listened to (up to "
             "1,000), "
             "120 bytes each on each loop."),
      number("notifications.polled_jobs", CARILLON_MEMBER(notifications.polled_jobs), 4, 16'777'216,
             "Jobs of which it is remembered when they were last asked for, some 42 bytes each on each loop; rounded "
             "up to "
             "a power of two."),

      live(boolean("webhooks.allow_http", CARILLON_MEMBER(webhooks.allow_http),
                   "Whether webhooks may go to http:// URLs, unencrypted.")),
      live(list("webhooks.allow_cidrs", CARILLON_MEMBER(webhooks.allow_cidrs), is_cidr,
                "a list of networks, like 10.0.0.0/8 or fd00::/8",
                "Networks that webhooks may go to although they are private, loopback or link-local.")),
      live(list("webhooks.deny_cidrs", CARILLON_MEMBER(webhooks.deny_cidrs), is_cidr,
                "a list of networks, like 10.0.0.0/8 or fd00::/8",
                "Networks that webhooks may not go to, whatever allow_cidrs says.")),
      live(number("webhooks.timeout_s", CARILLON_MEMBER(webhooks.timeout_s), 1, 300,
                  "Seconds an endpoint has to answer; then the attempt has failed.")),
      live(number("webhooks.connect_timeout_s", CARILLON_MEMBER(webhooks.connect_timeout_s), 1, 300,
                  "Seconds of these that connecting may take, TLS included.")),
      live(number_list(
          "webhooks.retry_delays_s", CARILLON_MEMBER(webhooks.retry_delays_s), 0, 30 * day_s, 100,
          "Seconds between an attempt at a delivery that failed and the next, each +/- 20 %; after the last "
          "number no other attempt is made.")),
      live(number(
          "webhooks.in_flight", CARILLON_MEMBER(webhooks.in_flight), 1, 10'000,
          "Requests under way to endpoints that answer in good time; and as many to those that were not tried yet.")),
      live(number("webhooks.in_flight_per_endpoint", CARILLON_MEMBER(webhooks.in_flight_per_endpoint), 1, 10'000,
                  "Requests under way to one endpoint.")),
      live(number(
          "webhooks.in_flight_slow", CARILLON_MEMBER(webhooks.in_flight_slow), 1, 10'000,
          "Requests under way to endpoints that take long, and as many to those that are down: so they take no place "
          "from those that answer in good time.")),
      live(number("webhooks.slow_ms", CARILLON_MEMBER(webhooks.slow_ms), 1, 60'000,
                  "Milliseconds after which a request counts as slow.")),
      live(number("webhooks.window_bytes", CARILLON_MEMBER(webhooks.window_bytes), mib, 16 * gib,
                  "Bytes of deliveries that are held in memory; the rest waits on disk.")),
      live(number(
          "webhooks.max_body", CARILLON_MEMBER(webhooks.max_body), kib, gib,
          "Bytes of a delivery's body; where it would be larger, its result is null and result_url says where to "
          "fetch it.")),
      live(number("webhooks.disable_after_s", CARILLON_MEMBER(webhooks.disable_after_s), 1, 365 * day_s,
                  "Seconds of nothing but failures after which an endpoint is disabled.")),
      number("webhooks.endpoints_per_key", CARILLON_MEMBER(webhooks.endpoints_per_key), 1, 1'000'000,
             "Webhooks that one key may register; one beyond is answered 409."),
      number("webhooks.keep_s", CARILLON_MEMBER(webhooks.keep_s), 0, 3650 * day_s,
             "Seconds that deliveries which have arrived or failed, and their attempts, are kept to be shown and sent "
             "again. 0: as long as their jobs."),
      live(text("webhooks.ca_file", CARILLON_MEMBER(webhooks.ca_file), is_readable_or_empty,
                "the path of a readable file (PEM), or empty",
                "Certificates that endpoints are checked against instead of the system's.")),
      live(text("webhooks.client_cert", CARILLON_MEMBER(webhooks.client_cert), is_readable_or_empty,
                "the path of a readable file (PEM), or empty",
                "Certificate with its chain that is shown to endpoints which ask for one (mTLS).")),
      live(text("webhooks.client_key", CARILLON_MEMBER(webhooks.client_key), is_readable_or_empty,
                "the path of a readable file (PEM), or empty", "Private key of that certificate, not encrypted.")),
      live(number("webhooks.secret_overlap_s", CARILLON_MEMBER(webhooks.secret_overlap_s), 0, 30 * day_s,
                  "Seconds that the secret before signs beside a new one, unless the rotation says otherwise.")),
      choice("webhooks.secrets", CARILLON_MEMBER(webhooks.secrets),
             {{"encrypted", SecretsAtRest::encrypted}, {"plain", SecretsAtRest::plain}},
             "How the secrets of webhooks lie in the database: encrypted (AES-256-GCM) with the key in "
             "secret_key_file, or plain."),
      text("webhooks.secret_key_file", CARILLON_MEMBER(webhooks.secret_key_file), is_file_path_or_empty,
           "the path of a file, or empty",
           "The key that they are encrypted with, made if need be. A backup of the database is worth nothing to a "
           "thief without it, and its secrets are lost without it. Empty: webhook-secrets.key in the data directory."),
  };
}

#undef CARILLON_MEMBER

}  // namespace

std::string_view Setting::section() const {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(0, dot);
}

std::string_view Setting::name() const {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? key : key.substr(dot + 1);
}

std::string Setting::flag() const {
  std::string flag = "--" + std::string{key};
  std::replace_if(
      flag.begin(), flag.end(), [](char c) { return c == '.' || c == '_'; }, '-');
  return flag;
}

std::string Setting::variable() const {
  std::string variable = "CARILLON_";
  for (const char c : key) variable += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return variable;
}

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = make_table();
  return table;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : settings_table()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

}  // namespace carillon::app
