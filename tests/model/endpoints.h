// The other ends of webhooks: one receiver, on a real socket, that answers for each endpoint as the trial wants it to,
// and keeps what came.
//
// Threads: heard() and behave() from any.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tests/model/told.h"
#include "tests/model/wire.h"
#include "tests/unit/webhook/receiver.h"

namespace carillon::model {

enum class Manner : std::uint8_t {
  well,
  failing,   ///< 500
  busy,      ///< 503 with Retry-After
  cutting,   ///< closes without an answer
  lying,     ///< closes behind a half answer
  by_chance  ///< each attempt one of the above, by the seed
};

/// An attempt that came in.
struct Attempt {
  std::string message;  ///< webhook-id
  Change change;
  std::string kind;
  int answered = 0;  ///< 0: not
};

class Endpoints {
 public:
  Endpoints(Arrivals& arrivals, std::uint64_t seed)
      : arrivals_(arrivals), seed_(seed), receiver_([this](const auto& request) { return answer(request); }) {}

  /// To register; the endpoint is known by the header that it asks for.
  std::string url(std::size_t endpoint) const { return receiver_.url("/" + std::to_string(endpoint)); }
  static constexpr const char* header = "X-Endpoint";

  void behave(std::size_t endpoint, Manner manner) {
    const std::lock_guard lock(mutex_);
    manners_[endpoint] = manner;
  }

  std::vector<Attempt> heard(std::size_t endpoint) {
    const std::lock_guard lock(mutex_);
    return heard_[endpoint];
  }
  std::size_t attempts() {
    const std::lock_guard lock(mutex_);
    return attempts_;
  }

 private:
  channels::webhook::Answer answer(const channels::webhook::Received& request) {
    const std::size_t endpoint = std::stoul(request.fields.at("x-endpoint"));
    const Told envelope(request.body);
    Attempt attempt;
    attempt.message = request.fields.at("webhook-id");
    attempt.kind = envelope.text("type");
    attempt.change = Told(envelope.json("data")).change();
    channels::webhook::Answer answer(204);
    {
      const std::lock_guard lock(mutex_);
      ++attempts_;
      auto& before = heard_[endpoint];
      answer = of(manners_[endpoint], attempt, before);
      attempt.answered = answer.status;
      before.push_back(std::move(attempt));
    }
    arrivals_.tell();
    return answer;
  }

  channels::webhook::Answer of(Manner manner, const Attempt& attempt, const std::vector<Attempt>& before) const {
    switch (manner) {
      case Manner::well:
        return 204;
      case Manner::failing:
        return 500;
      case Manner::busy:
        return {503, {"Retry-After: 2"}};
      case Manner::cutting:
        return 0;
      case Manner::lying:
        return channels::webhook::Answer::half();
      case Manner::by_chance:
        break;
    }
    std::uint64_t tries = 0;
    for (const Attempt& one : before) tries += one.message == attempt.message ? 1 : 0;
    Dice dice(seed_ ^ static_cast<std::uint64_t>(attempt.change.seq) * 1'000'003 ^ tries * 7'919);
    return of(static_cast<Manner>(dice.below(5)), attempt, before);
  }

  Arrivals& arrivals_;
  const std::uint64_t seed_;
  std::mutex mutex_;
  std::map<std::size_t, Manner> manners_;
  std::map<std::size_t, std::vector<Attempt>> heard_;
  std::size_t attempts_ = 0;
  channels::webhook::Receiver receiver_;  ///< last: it calls answer() until it has ended
};

}  // namespace carillon::model
