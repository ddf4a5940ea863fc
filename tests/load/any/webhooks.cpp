#include <cstdio>
#include <stdexcept>
#include <unordered_set>

#include "tests/load/any/work.h"
#include "tests/load/sink.h"

namespace carillon::load {
namespace {

class Trigger final : public HttpPeer {
 public:
  using HttpPeer::HttpPeer;
  int status = 0;

 private:
  void on_answer(const Answer& answer) override { status = answer.status; }
};

}  // namespace

Figures receive_webhooks(const WorkOptions& options, std::uint16_t publish_port) {
  Poll poll;
  Figures figures;
  std::unordered_set<std::string> ids;
  std::int64_t last_us = 0;
  Sink sink(poll, [&](std::string_view id, std::string_view body) {
    if (!id.empty() && !ids.emplace(id).second) ++figures.failed;
    ++figures.operations;
    ++figures.messages;
    figures.received_bytes += body.size();
    last_us = now_us();
  });
  sink.listen(options.port);
  std::fputs("listening\n", stderr);
  const double cpu_before_us = cpu_us(options.pid);
  std::int64_t began = now_us();
  Trigger trigger(poll);
  const bool triggered = publish_port != 0;
  if (triggered) {
    trigger.ask(publish_port, make_request(options.publish_method, options.publish_target,
                                           lines(options.publish_fields), options.publish_body));
  }
  const auto wanted = static_cast<std::uint64_t>(options.operations);
  while ((figures.operations < wanted || trigger.busy()) && now_us() - began < patience_us) {
    poll.run_once(10);
    if (!triggered && figures.operations == 0) began = now_us();
  }
  if (triggered && trigger.status != 200) throw std::runtime_error("the hub does not send");
  // What the answers lead to on its disk is part of it.
  if (options.pid != 0) settle(poll, options.pid);
  figures.seconds = static_cast<double>(last_us - began) / us_per_s;
  figures.cpu_us = cpu_us(options.pid) - cpu_before_us;
  figures.connections = sink.connections();
  if (figures.operations < wanted) figures.failed += wanted - figures.operations;
  return figures;
}

}  // namespace carillon::load
