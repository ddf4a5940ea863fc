#include "tests/model/reference.h"

#include <algorithm>
#include <utility>

#include "tests/model/trial_error.h"

namespace carillon::model {

std::string to_text(const Change& change) {
  std::string text = std::to_string(change.seq) + " " + std::string(hub::to_text(change.kind)) + " of " +
                     change.job.text().substr(0, 8);
  for (const std::string* part : {&change.result, &change.error, &change.progress}) {
    if (!part->empty()) text += " " + *part;
  }
  return text;
}

bool Reference::may_see(const Caller& who, const Job& job) const {
  return who.role == hub::Role::worker || (who.role == hub::Role::client && who.place == job.owner);
}

Reference::Verdict Reference::judge(const Caller& by, const hub::JobId& id, std::optional<hub::JobStatus> status,
                                    bool progress) const {
  const Job* job = find(id);
  if (job == nullptr || !may_see(by, *job)) return {404, {}};
  using enum hub::JobStatus;
  if (!status && job->status != running) return {409, {}};
  const hub::JobStatus to = status.value_or(running);
  if (to == job->status) {
    if (to == running && progress) return {200, hub::EventKind::progress};
    return {};
  }
  const bool forward = (job->status == queued && (to == running || to == failed)) ||
                       (job->status == running && (to == succeeded || to == failed));
  if (!forward) return {409, {}};
  return {200, hub::kind_of(to)};
}

void Reference::accept(Change change) {
  if (change.seq <= last()) {
    throw Divergence("the number of " + to_text(change) + " is not later than " + std::to_string(last()));
  }
  Job& job = jobs_[change.job];
  if (job.changes.empty() != (change.kind == hub::EventKind::queued)) {
    throw Divergence("it may not follow: " + to_text(change));
  }
  job.owner = change.owner;
  job.status = change.status;
  job.result = change.result;
  job.error = change.error;
  if (!change.progress.empty()) job.progress = change.progress;
  job.changes.push_back(changes_.size());
  changes_.push_back(std::move(change));
}

const Reference::Job* Reference::find(const hub::JobId& job) const {
  const auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

const Change* Reference::at(hub::Seq seq) const {
  const auto found = std::lower_bound(changes_.begin(), changes_.end(), seq,
                                      [](const Change& change, hub::Seq wanted) { return change.seq < wanted; });
  return found == changes_.end() || found->seq != seq ? nullptr : &*found;
}

const Change* Reference::next_of(const hub::JobId& id, hub::Seq after) const {
  const Job* job = find(id);
  if (job == nullptr) return nullptr;
  for (const std::size_t place : job->changes) {
    if (changes_[place].seq > after) return &changes_[place];
  }
  return nullptr;
}

std::vector<const Change*> Reference::of_owner(std::size_t owner, hub::Seq after) const {
  std::vector<const Change*> found;
  for (const Change& change : changes_) {
    if (change.owner == owner && change.seq > after) found.push_back(&change);
  }
  return found;
}

}  // namespace carillon::model
