// The rules of the road: what a report means for the job as it stands.
//
// Threads: immutable; safe for concurrent use. Storage asks with the row it has in hand, inside its transaction, so
// that the rule and the change cannot be torn apart.
#pragma once

#include <optional>
#include <string>

#include "hub/event.h"
#include "hub/job.h"
#include "hub/ownership.h"
#include "hub/store.h"

namespace carillon::hub {

/// What is to be done with a report.
struct Verdict {
  /// Set: refuse, with this word for the reporter.
  std::optional<Refusal> refusal;
  std::string detail;
  /// Set: the event it makes. Neither set: accepted, and nothing changes.
  std::optional<EventKind> event;
};

class Rules {
 public:
  explicit Rules(Ownership ownership) : ownership_(ownership) {}

  /// `job` is null where there is none with the reported id.
  Verdict judge(const Report& report, const Job* job) const;

  const Ownership& ownership() const { return ownership_; }

 private:
  Ownership ownership_;
};

}  // namespace carillon::hub
