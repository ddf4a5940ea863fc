// When a job was last asked for, of the jobs that were asked for last.
//
// A table of small sets: a job has its set by its hash, and where that is full the one asked for longest ago makes
// room. A set knows when the latest of those that had to go was asked for, so that "not since then" can be said of the
// rest.
//
// Threads: one.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <optional>
#include <vector>

#include "hub/clock.h"
#include "hub/id.h"

namespace carillon::channels {

struct LastPoll {
  hub::UnixMs at = 0;
  hub::Seq seq = 0;  ///< the job's last event, which the answer showed or said to be the last still
  hub::KeyId by;
};

class LastPolls {
 public:
  /// Memory is taken with the first poll.
  LastPolls(std::size_t jobs_max, hub::UnixMs begin)
      : sets_max_(std::bit_ceil(std::max(jobs_max / ways, std::size_t{1}))), begin_(begin) {}

  void note(const hub::JobId& job, const LastPoll& poll) {
    if (sets_.empty()) sets_.resize(sets_max_);
    Set& set = set_of(job);
    Entry* place = &set.entries.front();
    for (Entry& entry : set.entries) {
      if (entry.job == job) {
        place = &entry;
        break;
      }
      if (entry.poll.at < place->poll.at) place = &entry;
    }
    if (place->job != job) set.forgotten = std::max(set.forgotten, place->poll.at);
    *place = {job, poll};
  }

  std::optional<LastPoll> find(const hub::JobId& job) const {
    if (sets_.empty()) return std::nullopt;
    for (const Entry& entry : set_of(job).entries) {
      if (entry.job == job && entry.poll.at != 0) return entry.poll;
    }
    return std::nullopt;
  }

  /// A poll for the job later than this would be remembered.
  hub::UnixMs forgotten(const hub::JobId& job) const {
    return sets_.empty() ? begin_ : std::max(begin_, set_of(job).forgotten);
  }

 private:
  static constexpr std::size_t ways = 4;

  struct Entry {
    hub::JobId job;
    LastPoll poll;
  };
  struct Set {
    hub::UnixMs forgotten = 0;
    std::array<Entry, ways> entries;
  };

  Set& set_of(const hub::JobId& job) { return sets_[index(job)]; }
  const Set& set_of(const hub::JobId& job) const { return sets_[index(job)]; }
  std::size_t index(const hub::JobId& job) const { return hub::JobIdHash{}(job) & (sets_max_ - 1); }

  const std::size_t sets_max_;
  const hub::UnixMs begin_;
  std::vector<Set> sets_;
};

}  // namespace carillon::channels
