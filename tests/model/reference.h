// The reference: what a hub is to say, as plainly as it can be put. One list of events, and where each job stands.
//
// Threads: the trial's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/event.h"
#include "hub/id.h"
#include "hub/job.h"
#include "hub/principal.h"

namespace carillon::model {

/// Who calls. Client keys are told apart by their place in the trial's list.
struct Caller {
  std::string name;
  std::string key;
  hub::Role role = hub::Role::client;
  std::size_t place = 0;
};

/// A change that was, or is to be, accepted; texts are JSON as it is sent, empty for none.
struct Change {
  hub::Seq seq = 0;
  hub::JobId job;
  std::size_t owner = 0;
  hub::EventKind kind = hub::EventKind::queued;
  hub::JobStatus status = hub::JobStatus::queued;
  std::string result;
  std::string error;
  std::string progress;

  bool says_the_same(const Change& other) const {
    return job == other.job && kind == other.kind && result == other.result && error == other.error &&
           progress == other.progress;
  }
  /// The same for a change that others may have come before: running may have become progress.
  bool may_be(Change other) const {
    if (status == hub::JobStatus::running && other.status == status) other.kind = kind;
    return says_the_same(other);
  }
};
std::string to_text(const Change& change);

class Reference {
 public:
  struct Job {
    std::size_t owner = 0;
    hub::JobStatus status = hub::JobStatus::queued;
    std::string result;
    std::string error;
    std::string progress;
    std::vector<std::size_t> changes;  ///< places in changes()
  };

  /// What is to become of a report.
  struct Verdict {
    int http_status = 200;
    std::optional<hub::EventKind> event;
  };
  /// `status` none: progress alone.
  Verdict judge(const Caller& by, const hub::JobId& job, std::optional<hub::JobStatus> status, bool progress) const;
  bool may_see(const Caller& who, const Job& job) const;

  /// Throws Divergence where it is no later than all before, or may not follow.
  void accept(Change change);

  const Job* find(const hub::JobId& job) const;
  const std::map<hub::JobId, Job>& jobs() const { return jobs_; }
  const std::vector<Change>& changes() const { return changes_; }
  hub::Seq last() const { return changes_.empty() ? 0 : changes_.back().seq; }
  hub::Seq last_of(const Job& job) const { return changes_[job.changes.back()].seq; }
  const Change* at(hub::Seq seq) const;
  /// The first change of the job that is later than `after`; null: there is none.
  const Change* next_of(const hub::JobId& job, hub::Seq after) const;
  std::vector<const Change*> of_owner(std::size_t owner, hub::Seq after) const;

 private:
  std::map<hub::JobId, Job> jobs_;
  std::vector<Change> changes_;
};

}  // namespace carillon::model
