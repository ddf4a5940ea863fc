// Intake: where a submission or a report is checked for all that can be known without the job it speaks of. What
// depends on the job is judged by Rules, inside the store's transaction.
//
// Threads: immutable after construction; safe for concurrent use.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "hub/json.h"
#include "hub/store.h"

namespace carillon::hub {

struct IntakeLimits {
  std::size_t result_bytes_max = 4 * 1024 * 1024;
  std::size_t error_bytes_max = 64 * 1024;
  std::size_t progress_bytes_max = 4 * 1024;
  std::size_t metadata_bytes_max = 64 * 1024;
};

/// A member that is wrong: where it stands in the body (RFC 6901) and why.
struct Fault {
  std::string pointer;
  std::string detail;
  bool too_large = false;  ///< over a limit, rather than wrong
};
using Faults = std::vector<Fault>;

class Intake {
 public:
  explicit Intake(IntakeLimits limits) : limits_(limits) {}

  /// Reads a submission's own members (`job_id`, `metadata`, `owner`); the caller has taken out what belongs to a
  /// channel. Without a `job_id` it is given a new one. Unknown members are faults.
  std::variant<Submission, Faults> read_submission(const Principal& by, const json::Object& body) const;

  /// Reads a report's members (`status`, `result`, `error`, `progress`).
  std::variant<Report, Faults> read_report(const Principal& by, const JobId& job, const json::Object& body) const;

  /// What is wrong with a report among many, and the job where at least that is known.
  struct RefusedUpdate {
    std::optional<JobId> job;
    Faults faults;
  };
  /// Reads a report among many, which names its job itself (`job_id`). `pointer` is where it stands: "/updates/3".
  std::variant<Report, RefusedUpdate> read_update(const Principal& by, const json::Value& element,
                                                  const json::Object& members, std::string_view pointer) const;

 private:
  class FaultList;

  void read_report_member(const json::Member& member, Report& report, FaultList& faults) const;
  static void judge_members(const Report& report, FaultList& faults);

  IntakeLimits limits_;
};

}  // namespace carillon::hub
