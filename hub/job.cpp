#include "hub/job.h"

namespace carillon::hub {

std::string_view to_text(JobStatus status) {
  switch (status) {
    case JobStatus::queued:
      return "queued";
    case JobStatus::running:
      return "running";
    case JobStatus::succeeded:
      return "succeeded";
    case JobStatus::failed:
      return "failed";
  }
  return {};
}

std::optional<JobStatus> parse_job_status(std::string_view text) {
  if (text == "queued" || text == "pending") return JobStatus::queued;
  if (text == "running" || text == "processing") return JobStatus::running;
  if (text == "succeeded") return JobStatus::succeeded;
  if (text == "failed") return JobStatus::failed;
  return std::nullopt;
}

}  // namespace carillon::hub
