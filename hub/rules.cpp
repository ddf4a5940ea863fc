#include "hub/rules.h"

#include "hub/not_found.h"
namespace carillon::hub {
namespace {

Verdict refuse(Refusal refusal, std::string detail) { return {refusal, std::move(detail), std::nullopt}; }

}  // namespace

Verdict Rules::judge(const Report& report, const Job* job) const {
  if (job == nullptr || !ownership_.may_report(report.by, job->owner)) {
    return refuse(Refusal::not_found, no_such_job(report.job.text()));
  }
  const auto now = std::string(to_text(job->status));
  const JobStatus to = report.status.value_or(JobStatus::running);
  if (!report.status && job->status != JobStatus::running) {
    return refuse(Refusal::not_running, "Progress is reported while a job is running; this one is " + now + ".");
  }
  switch (step(job->status, to)) {
    case Step::refused:
      return refuse(Refusal::bad_transition,
                    "A job that is " + now + " cannot become " + std::string(to_text(to)) + ".");
    case Step::same:
      // A report repeated by a reporter that did not get its answer changes nothing; progress is news each time.
      if (to == JobStatus::running && report.progress) return {std::nullopt, {}, EventKind::progress};
      return {};
    case Step::forward:
      return {std::nullopt, {}, kind_of(to)};
  }
  return {};
}

}  // namespace carillon::hub
