#include <algorithm>
#include <memory>
#include <stdexcept>

#include "tests/load/any/work.h"

namespace carillon::load {
namespace {

/// A request of "METHOD TARGET BODY", and how much of it is body.
struct Request {
  std::string bytes;
  std::size_t body_bytes = 0;
};

Request parse(const std::string& line, std::string_view fields) {
  const std::size_t target = line.find(' ') + 1;
  const std::size_t end = std::min(line.find(' ', target), line.size());
  if (target == 0) throw std::runtime_error("no request: " + line);
  const std::string_view whole = line;
  const std::string_view body = end < line.size() ? whole.substr(end + 1) : std::string_view();
  return {make_request(whole.substr(0, target - 1), whole.substr(target, end - target), fields, body), body.size()};
}

std::uint64_t occurrences(std::string_view text, std::string_view what) {
  std::uint64_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

class Asker final : public HttpPeer {
 public:
  Asker(Poll& poll, const WorkOptions& options, Figures& figures)
      : HttpPeer(poll), options_(options), figures_(figures) {}

  void begin(const Request& request) {
    ++figures_.requests;
    figures_.sent_bytes += request.body_bytes;
    began_us_ = now_us();
    ask(options_.port, request.bytes);
  }

 private:
  void on_answer(const Answer& answer) override {
    if (answer.status != options_.status) {
      ++figures_.failed;
      return;
    }
    ++figures_.messages;
    figures_.received_bytes += answer.body.size();
    figures_.operations += options_.count.empty() ? 1 : occurrences(answer.body, options_.count);
    figures_.latencies_ms.push_back(static_cast<float>(now_us() - began_us_) / us_per_ms);
  }

  const WorkOptions& options_;
  Figures& figures_;
  std::int64_t began_us_ = 0;
};

/// Waits for a change, over and over.
class Waiter final : public HttpPeer {
 public:
  Waiter(Poll& poll, const WorkOptions& options, Figures& figures)
      : HttpPeer(poll), options_(options), fields_(lines(options.listen_fields)), figures_(figures) {}

  /// Learns how the job stands.
  void begin() {
    const std::string& first = options_.first_target.empty() ? options_.listen_target : options_.first_target;
    ask_for(first);
  }
  void wait() { ask_for(options_.listen_target); }

 private:
  void ask_for(const std::string& target) {
    std::string fields = fields_;
    if (!etag_.empty()) fields += "If-None-Match: " + etag_ + "\r\n";
    ask(options_.port, make_request("GET", fill(target, options_.jobs.front(), 0, {}), fields, {}));
  }
  void on_answer(const Answer& answer) override {
    if (answer.status != 200) {
      ++figures_.failed;
      return;
    }
    if (!options_.first_target.empty()) etag_ = header_field(answer.head, "etag:");
    const std::int64_t sent_us = number_behind(answer.body, sent_at);
    if (sent_us == 0) return;
    ++figures_.operations;
    ++figures_.messages;
    figures_.received_bytes += answer.body.size();
    figures_.latencies_ms.push_back(static_cast<float>(now_us() - sent_us) / us_per_ms);
  }

  const WorkOptions& options_;
  const std::string fields_;
  Figures& figures_;
  std::string etag_;
};

/// Turns until it holds for all of them.
template <typename P, typename Holds>
void await(Poll& poll, const std::vector<std::unique_ptr<P>>& peers, Holds holds, const char* otherwise) {
  const std::int64_t until = now_us() + patience_us;
  while (!std::all_of(peers.begin(), peers.end(), holds)) {
    poll.run_once(10);
    if (now_us() > until) throw std::runtime_error(otherwise);
  }
}

template <typename P>
void await_answers(Poll& poll, const std::vector<std::unique_ptr<P>>& peers) {
  await(
      poll, peers, [](const auto& peer) { return !peer->busy(); }, "answers do not come");
}

}  // namespace

Figures send_requests(const WorkOptions& options) {
  Poll poll;
  Figures figures;
  const std::string fields = lines(options.publish_fields);
  std::vector<Request> requests;
  for (const std::string& line : options.requests) requests.push_back(parse(line, fields));
  std::vector<std::unique_ptr<Asker>> askers;
  for (int i = 0; i < options.connections; ++i) {
    askers.push_back(std::make_unique<Asker>(poll, options, figures));
  }
  // The first requests connect, and warm up; they do not count.
  for (std::size_t i = 0; options.warm_up != 0 && i < askers.size(); ++i) {
    askers[i]->begin(requests[i % requests.size()]);
  }
  await_answers(poll, askers);

  figures = {};
  figures.connections = askers.size();
  const double cpu_before_us = cpu_us(options.pid);
  const std::int64_t began = now_us();
  int begun = 0;
  while (begun < options.operations && now_us() - began < patience_us) {
    for (const auto& asker : askers) {
      if (asker->busy() || begun == options.operations) continue;
      asker->begin(requests[static_cast<std::size_t>(begun++) % requests.size()]);
    }
    poll.run_once(1);
  }
  await_answers(poll, askers);
  figures.seconds = static_cast<double>(now_us() - began) / us_per_s;
  figures.cpu_us = cpu_us(options.pid) - cpu_before_us;
  return figures;
}

Figures wait_in_polls(const WorkOptions& options) {
  Poll poll;
  Figures figures;
  const std::string pad(static_cast<std::size_t>(options.pad_bytes), 'x');
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < options.connections; ++i) {
    waiters.push_back(std::make_unique<Waiter>(poll, options, figures));
  }
  Publisher publisher(poll, options, pad, figures);
  std::uint64_t number = 1;
  double cpu_before_us = 0;
  std::int64_t began = 0;
  // The first change is not measured.
  for (int turn = 0; turn <= options.operations; ++turn) {
    if (turn == 1) {
      if (figures.failed > 0) throw std::runtime_error("polls are refused");
      figures = {};
      cpu_before_us = cpu_us(options.pid);
      began = now_us();
    }
    if (turn == 0 && !options.first_target.empty()) {
      for (const auto& waiter : waiters) waiter->begin();
      await_answers(poll, waiters);
    }
    for (const auto& waiter : waiters) waiter->wait();
    await(
        poll, waiters, [](const auto& waiter) { return waiter->has_sent(); }, "the server does not let all in");
    settle(poll, options.pid);
    publisher.publish(options.jobs.front(), ++number);
    await_answers(poll, waiters);
    while (publisher.busy()) poll.run_once(5);
  }
  figures.connections = waiters.size();
  figures.seconds = static_cast<double>(now_us() - began) / us_per_s;
  figures.cpu_us = cpu_us(options.pid) - cpu_before_us;
  return figures;
}

}  // namespace carillon::load
