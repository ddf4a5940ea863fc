#include "hub/intake.h"

#include <string_view>

namespace carillon::hub {
namespace {

constexpr const char* uuid_wanted = "must be a UUID, as 550e8400-e29b-41d4-a716-446655440000";

}  // namespace

/// Notes what is wrong with the members of an object.
class Intake::FaultList {
 public:
  /// `within` is where the object stands; empty for the whole body.
  explicit FaultList(std::string_view within = {}) : within_(within) {}

  void add(std::string_view member, std::string detail) { faults_.push_back({pointer_to(member), std::move(detail)}); }

  /// Notes a member of another kind than wanted; true where it is right.
  bool expect(const json::Member& member, json::Kind kind) {
    if (member.value.is(kind)) return true;
    add(member.name, json::kind_fault(kind, member.value.kind));
    return false;
  }

  /// Notes that the whole object is of another kind.
  void add_whole(json::Kind kind) {
    faults_.push_back({std::string(within_), json::kind_fault(json::Kind::object, kind)});
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
  std::string pointer_to(std::string_view member) const {
    std::string pointer(within_);
    json::append_pointer(pointer, member);
    return pointer;
  }

  std::string_view within_;
  Faults faults_;
};

std::variant<Submission, Faults> Intake::read_submission(const Principal& by, const json::Object& body) const {
  Submission submission;
  submission.by = by;
  bool has_id = false;
  FaultList faults;
  for (const json::Member& member : body.members()) {
    if (member.name == "job_id") {
      if (member.value.is(json::Kind::null) || !faults.expect(member, json::Kind::string)) continue;
      const auto id = JobId::parse(member.value.string());
      if (id) {
        submission.job = *id;
        has_id = true;
      } else {
        faults.add("job_id", uuid_wanted);
      }
    } else if (member.name == "metadata") {
      if (member.value.is(json::Kind::null)) continue;
      if (!faults.expect(member, json::Kind::object)) continue;
      if (faults.expect_size(member, member.value.text.size(), limits_.metadata_bytes_max)) {
        submission.metadata = make_text(member.value.text);
      }
    } else if (member.name == "owner") {
      if (member.value.is(json::Kind::null) || !faults.expect(member, json::Kind::string)) continue;
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

void Intake::read_report_member(const json::Member& member, Report& report, FaultList& faults) const {
  const json::Value& value = member.value;
  if (member.name == "status") {
    if (value.is(json::Kind::null) || !faults.expect(member, json::Kind::string)) return;
    report.status = parse_job_status(value.string());
    if (!report.status) faults.add("status", "must be one of queued, running, succeeded, failed");
  } else if (member.name == "result") {
    if (value.is(json::Kind::null)) return;
    if (faults.expect_size(member, value.text.size(), limits_.result_bytes_max)) report.result = make_text(value.text);
  } else if (member.name == "error") {
    if (value.is(json::Kind::null) || !faults.expect(member, json::Kind::string)) return;
    if (faults.expect_size(member, value.text.size(), limits_.error_bytes_max))
      report.error = make_text(value.string());
  } else if (member.name == "progress") {
    if (value.is(json::Kind::null)) return;
    if (faults.expect_size(member, value.text.size(), limits_.progress_bytes_max)) {
      report.progress = make_text(value.text);
    }
  } else {
    faults.add(member.name, "is not a member of a report");
  }
}

void Intake::judge_members(const Report& report, FaultList& faults) {
  if (!faults.empty()) return;
  const bool progress_alone = !report.status && report.progress;
  if (!report.status && !progress_alone) faults.add("status", "is missing");
  if (report.result && report.status != JobStatus::succeeded) faults.add("result", "goes only with status succeeded");
  if (report.error && report.status != JobStatus::failed) faults.add("error", "goes only with status failed");
  if (report.progress && report.status && report.status != JobStatus::running) {
    faults.add("progress", "goes only with status running");
  }
}

std::variant<Report, Faults> Intake::read_report(const Principal& by, const JobId& job,
                                                 const json::Object& body) const {
  Report report;
  report.by = by;
  report.job = job;
  FaultList faults;
  for (const json::Member& member : body.members()) read_report_member(member, report, faults);
  judge_members(report, faults);
  if (!faults.empty()) return faults.take();
  return report;
}

std::variant<Report, Intake::RefusedUpdate> Intake::read_update(const Principal& by, const json::Value& element,
                                                                const json::Object& members,
                                                                std::string_view pointer) const {
  Report report;
  report.by = by;
  FaultList faults(pointer);
  std::optional<JobId> job;
  if (!element.is(json::Kind::object)) {
    faults.add_whole(element.kind);
    return RefusedUpdate{job, faults.take()};
  }
  bool named = false;
  for (const json::Member& member : members.members()) {
    if (member.name != "job_id") {
      read_report_member(member, report, faults);
      continue;
    }
    named = !member.value.is(json::Kind::null);
    if (!named || !faults.expect(member, json::Kind::string)) continue;
    job = JobId::parse(member.value.string());
    if (!job) faults.add("job_id", uuid_wanted);
  }
  if (!named) faults.add("job_id", "is missing");
  judge_members(report, faults);
  if (!faults.empty()) return RefusedUpdate{job, faults.take()};
  report.job = *job;
  return report;
}

}  // namespace carillon::hub
