// What an operator can set. Each setting is defined once, in settings.cpp: its key in the TOML file, its flag
// (`--webhooks-allow-http`), its environment variable (`CARILLON_WEBHOOKS_ALLOW_HTTP`), default, range, unit and
// effect.
//
// Threads: read before anything starts; then a value that nobody changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hub/ownership.h"

namespace carillon::app {

enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { error, warning, info, debug };
/// How webhook secrets lie in the database: sealed with a key that is kept beside it, or as they are.
enum class SecretsAtRest : std::uint8_t { encrypted, plain };

struct Settings {
  std::string listen = "127.0.0.1:8080";  ///< host:port, [v6]:port; port 0 takes a free one
  std::string data = "carillon-data";     ///< the directory that holds everything the hub keeps
  hub::OwnershipScope ownership = hub::OwnershipScope::key;
  unsigned loops = 0;          ///< event loops; 0: one a core
  std::string tls_cert;        ///< PEM file; with it the listening address speaks TLS, and nothing else
  std::string tls_key;         ///< PEM file; the two are set together
  std::string public_url;      ///< where clients reach the hub, "https://hub.example.com"; empty: not known
  std::string metrics_listen;  ///< where /metrics, /healthz and /readyz are served, and only there; empty: on `listen`

  struct Log {
    LogFormat format = LogFormat::text;
    LogLevel level = LogLevel::info;
    bool access = false;  ///< a line for every request
  } log;

  struct Limits {
    std::size_t head_bytes = 16 * 1024;
    std::size_t body_bytes = 8 * 1024 * 1024;
    std::size_t result_bytes = 4 * 1024 * 1024;
    std::size_t progress_bytes = 4 * 1024;
    std::size_t metadata_bytes = 64 * 1024;
    std::size_t error_bytes = 64 * 1024;
    std::size_t updates = 1'000;              ///< reports in one request
    std::size_t idempotency_key_bytes = 255;  ///< characters of an Idempotency-Key
    std::int64_t head_timeout_s = 10;
    std::int64_t body_timeout_s = 60;
    std::int64_t idle_timeout_s = 75;  ///< a kept-alive connection without a request
    std::size_t connections = 100'000;
    std::uint32_t writes_per_second = 0;  ///< calls with one key, by their class; 0: as they come
    std::uint32_t polls_per_second = 0;
    std::uint32_t lists_per_second = 0;
    std::uint32_t admin_per_second = 0;
    std::uint32_t calls_per_second_per_address = 0;  ///< of any class, before the key is asked for; 0: as they come
    std::int64_t burst_s = 10;                       ///< so many seconds' worth of them at once
    std::size_t rate_entries = 65'536;               ///< keys and classes, and addresses, that are counted at one time
    std::uint32_t refusals_per_address = 0;          ///< refused keys that are answered 401; 0: all are

    bool operator==(const Limits&) const = default;
  } limits;

  struct Http {
    std::vector<std::string> cors_origins;    ///< of pages that may read answers; "*": any; empty: none
    std::size_t gzip_min_bytes = 2 * 1024;    ///< of a body; smaller and
    std::size_t gzip_max_bytes = 256 * 1024;  ///< larger ones are sent plain; 0 as the least: all are
    bool server_timing = false;               ///< whether answers say how long they took
  } http;

  struct Store {
    std::size_t queue_max = 65'536;               ///< changes waiting for a commit; beyond it reporters get 503
    std::size_t batch_max = 1'000;                ///< changes in one commit
    std::int64_t keep_jobs_s = 90 * 24 * 3600;    ///< final jobs, from when they became so; 0: for ever
    std::int64_t keep_events_s = 30 * 24 * 3600;  ///< events, and no longer than jobs; 0: for ever
    std::int64_t idempotency_keep_s = 24 * 3600;
    std::int64_t key_uses_s = 60;                          ///< within which it is known when a key was last used
    std::uint64_t disk_free_min_bytes = 64 * 1024 * 1024;  ///< below it the hub is not ready; 0: not looked at
  } store;

  struct Watchdog {
    std::int64_t loop_s = 10;    ///< without an answer, after which a loop is stuck; 0: not watched
    std::int64_t commit_s = 30;  ///< that one commit takes, after which it is stuck; 0: not watched
  } watchdog;

  struct WebSocket {
    std::int64_t heartbeat_s = 30;
    std::int64_t slow_client_ms = 5'000;
    std::size_t queue_bytes = 16 * 1024 * 1024;  ///< unsent bytes on one connection
    std::size_t message_bytes = 64 * 1024;       ///< from a client
    std::size_t subscriptions = 10'000;          ///< on one connection
    std::size_t job_ids = 1'000;                 ///< in one message
    std::size_t replay_events = 1'000;           ///< told anew to one subscription that resumes
    std::size_t connections = 100'000;
    std::size_t connections_per_key = 0;    ///< 0: as many as the hub takes
    std::size_t subscriptions_per_key = 0;  ///< 0: as many as its connections may have
    std::uint32_t handshakes_per_second = 0;
    int retry_after_max_s = 60;  ///< for handshakes beyond these
    std::uint32_t messages_per_second = 0;
    std::vector<std::string> origins;
    std::uint32_t refusals_free = 5;  ///< refused keys from one address before answers are held back
    std::int64_t refusal_delay_ms = 250;
    std::int64_t refusal_delay_max_ms = 5'000;
    std::int64_t refusal_forget_s = 60;
    std::size_t refusal_addresses = 16'384;
    std::size_t refusals_held = 1'000;
    std::int64_t drain_ms = 5'000;
    bool deflate = true;  ///< permessage-deflate, for clients that offer it
    int deflate_level = 1;
    std::size_t deflate_min_bytes = 1024;         ///< of a frame; smaller and
    std::size_t deflate_max_bytes = 1024 * 1024;  ///< larger ones are sent plain
  } websocket;

  struct Polling {
    std::int64_t wait_max_s = 60;         ///< that a poll may ask to wait
    std::size_t waiting_max = 100'000;    ///< polls that wait and streams that are open
    std::size_t waiting_per_key = 0;      ///< 0: as many as the hub lets wait
    std::int64_t retry_after_max_s = 10;  ///< for a job that has not changed for long
    std::size_t page_bytes = 4 * 1024 * 1024;
    std::int64_t heartbeat_s = 15;               ///< on a stream
    std::int64_t slow_client_ms = 5'000;         ///< of a stream
    std::size_t queue_bytes = 16 * 1024 * 1024;  ///< unsent bytes on one stream
  } polling;

  struct Notifications {
    std::size_t events = 262'144;      ///< of which each loop remembers to how many it sent them
    std::size_t drops = 16'384;        ///< connections that were dropped, each for each job that it listened to
    std::size_t polled_jobs = 16'384;  ///< of which each loop remembers when they were last asked for
  } notifications;

  struct Webhooks {
    bool allow_http = false;
    std::vector<std::string> allow_cidrs;
    std::vector<std::string> deny_cidrs;  ///< never, whatever allow_cidrs says
    std::int64_t timeout_s = 10;
    std::int64_t connect_timeout_s = 5;
    std::vector<std::int64_t> retry_delays_s = {0, 5, 30, 120, 600, 1'800, 3'600, 10'800, 21'600, 43'200};
    std::size_t in_flight = 64;                   ///< requests under way to endpoints in good time
    std::size_t in_flight_per_endpoint = 16;      ///< requests under way to one endpoint
    std::size_t in_flight_slow = 64;              ///< requests under way to those that are slow, or down
    std::int64_t slow_ms = 250;                   ///< from when on a request is slow
    std::size_t window_bytes = 64 * 1024 * 1024;  ///< of deliveries held in memory
    std::size_t max_body = 1024 * 1024;           ///< bytes of a delivery; a larger one carries a link to the result
    std::int64_t disable_after_s = 5 * 24 * 3600;
    std::size_t endpoints_per_key = 1'000;
    std::int64_t keep_s = 30 * 24 * 3600;       ///< finished deliveries and their attempts; 0: for ever
    std::string ca_file;                        ///< certificates to trust instead of the system's
    std::string client_cert;                    ///< PEM file, shown to endpoints that ask for one (mTLS)
    std::string client_key;                     ///< PEM file; the two are set together
    std::int64_t secret_overlap_s = 24 * 3600;  ///< for how long a rotated secret signs beside the new one
    SecretsAtRest secrets = SecretsAtRest::encrypted;
    std::string secret_key_file;  ///< empty: webhook-secrets.key in the data directory
  } webhooks;
};

}  // namespace carillon::app
