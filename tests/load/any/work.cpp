#include "tests/load/any/work.h"

#include <stdexcept>

namespace carillon::load {

std::string fill(std::string_view text, std::string_view job, std::uint64_t n, std::string_view pad) {
  std::string filled;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest.starts_with("{job}")) {
      filled.append(job);
      at += 5;
    } else if (rest.starts_with("{n}")) {
      filled.append(std::to_string(n));
      at += 3;
    } else if (rest.starts_with("{t}")) {
      filled.append(std::to_string(now_us()));
      at += 3;
    } else if (rest.starts_with("{pad}")) {
      filled.append(pad);
      at += 5;
    } else {
      filled.push_back(text[at++]);
    }
  }
  return filled;
}

std::string make_request(std::string_view method, std::string_view target, std::string_view fields,
                         std::string_view body) {
  std::string request(method);
  request.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(fields);
  if (!body.empty()) {
    request.append("Content-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
    request.append("\r\n");
  }
  return request.append("\r\n").append(body);
}

std::string lines(std::string_view fields) {
  std::string text;
  for (const char byte : fields) {
    if (byte == '\n') text.push_back('\r');
    text.push_back(byte);
  }
  return text;
}

void settle(Poll& poll, int pid) {
  // Something may be between two threads, or processes, at the moment of a look.
  constexpr int looks = 5;
  const std::int64_t until = now_us() + patience_us;
  for (int asleep = 0; asleep < looks;) {
    for (const std::int64_t look_at = now_us() + 2 * us_per_ms; now_us() < look_at;) poll.run_once(1);
    asleep = sleeps(pid) ? asleep + 1 : 0;
    if (now_us() > until) throw std::runtime_error("the server does not come to rest");
  }
}

void Publisher::publish(const std::string& job, std::uint64_t number) {
  const std::string body = fill(options_.publish_body, job, number, pad_);
  ++figures_.requests;
  figures_.sent_bytes += body.size();
  ask(options_.port,
      make_request(options_.publish_method, fill(options_.publish_target, job, number, {}), fields_, body));
}

void Publisher::on_answer(const Answer& answer) {
  if (answer.status / 100 != 2) ++figures_.failed;
}

}  // namespace carillon::load
