// The jobs that are being worked on, as their rows stand: a job that was just submitted or reported on is likely to be
// reported on again, and finding its row costs more than changing it. The committer is the only writer, so what it
// keeps here is what is on disk; after a rollback it is forgotten.
//
// Two generations: what is used moves to the younger one, and when that is full the older one is dropped.
//
// Threads: the committer's.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>

#include "storage/sqlite/rows.h"

namespace carillon::storage::sqlite {

class RecentJobs {
 public:
  /// Null when it is not kept. The row stays where it is until the next call of put() or find().
  JobRow* find(const hub::JobId& id) {
    if (const auto young = young_.find(id); young != young_.end()) return &young->second;
    auto node = old_.extract(id);
    if (node.empty()) return nullptr;
    return &insert(std::move(node));
  }

  /// The job must not be kept yet.
  JobRow& put(JobRow row) {
    Rows fresh;
    const hub::JobId id = row.job.id;
    fresh.emplace(id, std::move(row));
    return insert(fresh.extract(id));
  }

  /// For a job that is final, and will hardly be reported on again. None when it is not kept.
  std::optional<JobRow> take(const hub::JobId& id) {
    auto node = young_.extract(id);
    if (node.empty()) node = old_.extract(id);
    if (node.empty()) return std::nullopt;
    return std::move(node.mapped());
  }

  void clear() {
    young_.clear();
    old_.clear();
    young_bytes_ = 0;
  }

 private:
  static constexpr std::size_t generation_jobs_max = 16'384;
  static constexpr std::size_t generation_bytes_max = 8 * 1024 * 1024;

  using Rows = std::unordered_map<hub::JobId, JobRow, hub::JobIdHash>;

  JobRow& insert(Rows::node_type node) {
    if (young_.size() >= generation_jobs_max || young_bytes_ >= generation_bytes_max) {
      old_.swap(young_);
      young_.clear();
      young_bytes_ = 0;
    }
    const hub::Job& job = node.mapped().job;
    young_bytes_ += sizeof(Rows::value_type) + (job.metadata ? job.metadata->size() : 0) +
                    (job.progress ? job.progress->size() : 0);
    return young_.insert(std::move(node)).position->second;
  }

  Rows young_;
  Rows old_;
  std::size_t young_bytes_ = 0;  ///< as of when each came in
};

}  // namespace carillon::storage::sqlite
