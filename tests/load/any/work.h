// any_load puts the same work on any server, the hub and its peers alike, so that what they spend on it can be
// compared. What differs between servers (paths, header fields, what a report looks like) is told in templates; what is
// done is counted in the same words for all, so that who compares can see whether it was the same work.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/load/figures.h"
#include "tests/load/peers.h"

namespace carillon::load {

/// Templates know {job}, {n} (the number of the update), {t} (the time at which it was sent, in us) and {pad}.
struct WorkOptions {
  std::uint16_t port = 0;
  int pid = 0;  ///< of the server; its children count as well
  std::vector<std::string> jobs;
  int connections = 0;  ///< that listen, ask or wait
  int operations = 0;   ///< updates to publish, requests, handshakes, webhooks
  int publishers = 1;
  double per_s = 0;  ///< updates a second; 0: as many as can be
  int pad_bytes = 0;

  std::string listen_target;
  std::string listen_fields;  ///< whole lines; "\n" ends each
  std::string subscribe;      ///< sent once connected; empty: the target says it
  std::string first_target;   ///< asked for once before a connection begins to wait; empty: nothing
  std::string publish_method = "POST";
  std::string publish_target;
  std::string publish_fields;
  std::string publish_body;

  std::vector<std::string> requests;  ///< "METHOD TARGET BODY" each
  int status = 200;                   ///< what a request must be answered with
  int warm_up = 1;                    ///< 0: no request for each connection beforehand that does not count
  std::string count;                  ///< counted in the answers; each is an operation. Empty: an answer is one
};

/// What was done, and what it took.
struct Figures {
  std::uint64_t operations = 0;
  std::uint64_t failed = 0;
  std::uint64_t connections = 0;
  std::uint64_t received_bytes = 0;  ///< of messages or bodies, in all
  std::uint64_t sent_bytes = 0;      ///< of bodies, in all
  std::uint64_t messages = 0;        ///< received
  std::uint64_t requests = 0;        ///< sent
  double seconds = 0;
  double cpu_us = 0;        ///< of the server
  double memory_bytes = 0;  ///< that it grew by
  std::vector<float> latencies_ms;
};

// Each throws std::runtime_error where the work cannot be done.
/// Updates to jobs in turn; each connection listens to one. An operation is an update that has come to a connection.
Figures publish_to_websockets(const WorkOptions& options);
/// Connections that listen, and stay silent.
Figures hold_websockets(const WorkOptions& options);
/// So many handshakes, each ended at once.
Figures shake_hands(const WorkOptions& options);
Figures send_requests(const WorkOptions& options);
/// Each connection waits for a change of the first job; `operations` changes. An operation is a poll answered.
Figures wait_in_polls(const WorkOptions& options);
/// Receives webhooks on `port`, after the first of the requests was sent to `publish_port`.
Figures receive_webhooks(const WorkOptions& options, std::uint16_t publish_port);

// --- what they share -------------------------------------------------------------------------------------------------

std::string fill(std::string_view text, std::string_view job, std::uint64_t n, std::string_view pad);
/// A request with a body, ready to go out.
std::string make_request(std::string_view method, std::string_view target, std::string_view fields,
                         std::string_view body);
/// "\n" to the line ends of HTTP.
std::string lines(std::string_view fields);

/// Turns until the server has seen to all that it was sent. Throws std::runtime_error where it never does.
void settle(Poll& poll, int pid);

/// Publishes, one update at a time.
class Publisher final : public HttpPeer {
 public:
  Publisher(Poll& poll, const WorkOptions& options, const std::string& pad, Figures& figures)
      : HttpPeer(poll), options_(options), pad_(pad), fields_(lines(options.publish_fields)), figures_(figures) {}
  void publish(const std::string& job, std::uint64_t number);

 private:
  void on_answer(const Answer& answer) override;

  const WorkOptions& options_;
  const std::string& pad_;
  const std::string fields_;
  Figures& figures_;
};

inline constexpr std::int64_t patience_us = 60 * us_per_s;
inline constexpr std::string_view sent_at = R"("t":)";

}  // namespace carillon::load
