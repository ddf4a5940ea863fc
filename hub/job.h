// A job and its status: what may follow what.
//
// Threads: values and pure functions; safe anywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hub/clock.h"
#include "hub/id.h"
#include "hub/text.h"

namespace carillon::hub {

///                 ┌──────────────────────────┐
///   submit ─▶ queued ─▶ running ─▶ succeeded │
///                          └─────▶ failed ◀──┘
///
/// Never backwards, and never out of `succeeded` or `failed`.
enum class JobStatus : std::uint8_t { queued = 0, running = 1, succeeded = 2, failed = 3 };

std::string_view to_text(JobStatus status);

/// Also takes `pending` for queued and `processing` for running; they are never sent.
std::optional<JobStatus> parse_job_status(std::string_view text);

constexpr bool is_final(JobStatus status) { return status == JobStatus::succeeded || status == JobStatus::failed; }

enum class Step : std::uint8_t { forward, same, refused };

/// What a report of `to` means for a job that stands at `from`.
constexpr Step step(JobStatus from, JobStatus to) {
  if (from == to) return Step::same;
  switch (from) {
    case JobStatus::queued:
      return to == JobStatus::running || to == JobStatus::failed ? Step::forward : Step::refused;
    case JobStatus::running:
      return is_final(to) ? Step::forward : Step::refused;
    case JobStatus::succeeded:
    case JobStatus::failed:
      return Step::refused;
  }
  return Step::refused;
}

/// Who a job belongs to: all that Ownership needs to know of it.
struct JobOwner {
  KeyId key;
  AccountId account;
};

/// A job as it stands. The texts of `result`, `progress` and `metadata` are JSON, checked when they arrived and never
/// parsed again; `error` is plain text.
struct Job {
  JobId id;
  JobOwner owner;
  JobStatus status = JobStatus::queued;
  Text result;    ///< JSON; null unless succeeded with a result
  Text error;     ///< UTF-8; null unless failed with a word
  Text progress;  ///< JSON; the last one reported, null when none was
  Text metadata;  ///< a JSON object; null when none was given
  UnixMs created_at = 0;
  UnixMs updated_at = 0;  ///< when its last event was committed
  Seq seq = 0;            ///< its last event
};

}  // namespace carillon::hub
