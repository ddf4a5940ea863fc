#include "hub/intake.h"

#include <string_view>

namespace carillon::hub {
namespace {

class FaultList {
 public:
  void add(std::string_view member, std::string detail) { faults_.push_back({pointer_to(member), std::move(detail)}); }

  /// Notes a member of another kind than wanted; true where it is right.
  bool expect(const json::Member& member, json::Kind kind) {
    if (member.value.is(kind)) return true;
    add(member.name,
        "must be a JSON " + std::string(to_text(kind)) + ", not " + std::string(to_text(member.value.kind)));
    return false;
  }

  bool expect_size(const json::Member& member, std::size_t bytes, std::size_t bytes_max) {
    if (bytes <= bytes_max) return true;
    faults_.push_back({pointer_to(member.name),
                       "is " + std::to_string(bytes) + " bytes; at most " + std::to_string(bytes_max) + " are taken",
                       true});
    return false;
  }

  bool empty() const { return faults_.empty(); }
  Faults take() { return std::move(faults_); }

 private:
  static std::string pointer_to(std::string_view member) {
    std::string pointer = "/";
    for (const char c : member) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
    return pointer;
  }

  Faults faults_;
};

}  // namespace

std::variant<Submission, Faults> Intake::read_submission(const Principal& by, const json::Object& body) const {
  Submission submission;
  submission.by = by;
  bool has_id = false;
  FaultList faults;
  for (const json::Member& member : body.members()) {
    if (member.name == "job_id") {
      if (!faults.expect(member, json::Kind::string)) continue;
      const auto id = JobId::parse(member.value.string());
      if (id) {
        submission.job = *id;
        has_id = true;
      } else {
        faults.add("job_id", "must be a UUID, as 550e8400-e29b-41d4-a716-446655440000");
      }
    } else if (member.name == "metadata") {
      if (member.value.is(json::Kind::null)) continue;
      if (!faults.expect(member, json::Kind::object)) continue;
      if (faults.expect_size(member, member.value.text.size(), limits_.metadata_bytes_max)) {
        submission.metadata = make_text(member.value.text);
      }
    } else if (member.name == "owner") {
      if (!faults.expect(member, json::Kind::string)) continue;
      submission.owner = parse_id<KeyTag>(member.value.string());
      if (!submission.owner) {
        faults.add("owner", "must be the id of a key, as key_…");
      } else if (by.role != Role::worker && submission.owner != by.key) {
        faults.add("owner", "may be named only by a worker");
      }
    } else {
      faults.add(member.name, "is not a member of a submission");
    }
  }
  if (!faults.empty()) return faults.take();
  if (!has_id) submission.job = JobId::random();
  return submission;
}

std::variant<Report, Faults> Intake::read_report(const Principal& by, const JobId& job,
                                                 const json::Object& body) const {
  Report report;
  report.by = by;
  report.job = job;
  FaultList faults;
  for (const json::Member& member : body.members()) {
    const json::Value& value = member.value;
    if (member.name == "status") {
      if (!faults.expect(member, json::Kind::string)) continue;
      report.status = parse_job_status(value.string());
      if (!report.status) faults.add("status", "must be one of queued, running, succeeded, failed");
    } else if (member.name == "result") {
      if (value.is(json::Kind::null)) continue;
      if (faults.expect_size(member, value.text.size(), limits_.result_bytes_max))
        report.result = make_text(value.text);
    } else if (member.name == "error") {
      if (value.is(json::Kind::null) || !faults.expect(member, json::Kind::string)) continue;
      if (faults.expect_size(member, value.text.size(), limits_.error_bytes_max))
        report.error = make_text(value.string());
    } else if (member.name == "progress") {
      if (value.is(json::Kind::null)) continue;
      if (faults.expect_size(member, value.text.size(), limits_.progress_bytes_max)) {
        report.progress = make_text(value.text);
      }
    } else {
      faults.add(member.name, "is not a member of a report");
    }
  }
  if (faults.empty()) {
    const bool progress_alone = !report.status && report.progress;
    if (!report.status && !progress_alone) faults.add("status", "is missing");
    if (report.result && report.status != JobStatus::succeeded) faults.add("result", "goes only with status succeeded");
    if (report.error && report.status != JobStatus::failed) faults.add("error", "goes only with status failed");
    if (report.progress && report.status && report.status != JobStatus::running) {
      faults.add("progress", "goes only with status running");
    }
  }
  if (!faults.empty()) return faults.take();
  return report;
}

}  // namespace carillon::hub
