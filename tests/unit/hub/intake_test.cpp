#include "hub/intake.h"

#include <gtest/gtest.h>

namespace carillon::hub {
namespace {

constexpr Principal client{{1}, {10}, Role::client};
constexpr Principal worker{{2}, {10}, Role::worker};

class IntakeTest : public testing::Test {
 protected:
  static json::Object object(std::string_view text) { return std::get<json::Object>(json::parse_object(text)); }

  std::string faults_of_report(std::string_view body) {
    return list(intake_.read_report(worker, JobId::random(), object(body)));
  }
  std::string faults_of_submission(const Principal& by, std::string_view body) {
    return list(intake_.read_submission(by, object(body)));
  }

  template <typename Read>
  static std::string list(const Read& read) {
    std::string out;
    if (const auto* faults = std::get_if<Faults>(&read)) {
      for (const Fault& fault : *faults) out += fault.pointer + " ";
    }
    return out;
  }

  const Intake intake_{IntakeLimits{100, 10, 20, 30}};
};

TEST_F(IntakeTest, ReadsAReport) {
  const auto read = intake_.read_report(worker, JobId{}, object(R"({"status":"processing","progress":{"m": 1}})"));
  const auto& report = std::get<Report>(read);
  EXPECT_EQ(report.status, JobStatus::running);
  EXPECT_EQ(*report.progress, R"({"m": 1})");
  EXPECT_FALSE(report.result);
}

TEST_F(IntakeTest, NamesTheMembersOfAReportThatAreWrong) {
  EXPECT_EQ(faults_of_report("{}"), "/status ");
  EXPECT_EQ(faults_of_report(R"({"status":"done"})"), "/status ");
  EXPECT_EQ(faults_of_report(R"({"status":5})"), "/status ");
  EXPECT_EQ(faults_of_report(R"({"status":"running","result":1})"), "/result ");
  EXPECT_EQ(faults_of_report(R"({"status":"succeeded","error":"x"})"), "/error ");
  EXPECT_EQ(faults_of_report(R"({"status":"failed","error":{}})"), "/error ");
  EXPECT_EQ(faults_of_report(R"({"status":"succeeded","progress":1})"), "/progress ");
  EXPECT_EQ(faults_of_report(R"({"status":"running","a/b~":1})"), "/a~1b~0 ");
  EXPECT_EQ(faults_of_report(R"({"status":"running","progress":"01234567890123456789"})"), "/progress ");
  EXPECT_EQ(faults_of_report(R"({"status":"failed","error":"01234567890"})"), "/error ");
  EXPECT_EQ(faults_of_report(R"({"progress":1})"), "");
  EXPECT_EQ(faults_of_report(R"({"status":"succeeded","result":null,"error":null})"), "");
}

TEST_F(IntakeTest, AMemberThatIsNullIsAsIfItWereNotThere) {
  EXPECT_EQ(faults_of_report(R"({"status":null,"progress":1})"), "");
  EXPECT_EQ(faults_of_report(R"({"status":null})"), "/status ");
  EXPECT_EQ(faults_of_report(R"({"colour":null})"), "/colour ");
  const auto read = intake_.read_submission(client, object(R"({"job_id":null,"owner":null,"metadata":null})"));
  ASSERT_TRUE(std::holds_alternative<Submission>(read)) << list(read);
  EXPECT_NE(std::get<Submission>(read).job, JobId{});
  EXPECT_EQ(faults_of_submission(client, R"({"colour":null})"), "/colour ");
}

TEST_F(IntakeTest, ReadsAReportAmongMany) {
  constexpr std::string_view id = "550e8400-e29b-41d4-a716-446655440000";
  const auto read = [&](std::string_view text) {
    const auto element = std::get<json::Value>(json::check(text));
    const json::Object members = element.is(json::Kind::object) ? object(text) : json::Object{};
    return intake_.read_update(worker, element, members, "/updates/3");
  };
  const auto faults = [&](std::string_view text) {
    const auto result = read(text);
    std::string out;
    if (const auto* refused = std::get_if<Intake::RefusedUpdate>(&result)) {
      out = refused->job ? refused->job->text() + ": " : "";
      for (const Fault& fault : refused->faults) out += fault.pointer + " ";
    }
    return out;
  };
  const std::string named = R"({"job_id":")" + std::string(id) + "\"";
  const auto report = std::get<Report>(read(named + R"(,"status":"failed","error":"no"})"));
  EXPECT_EQ(report.job.text(), id);
  EXPECT_EQ(report.by.key, worker.key);
  EXPECT_EQ(*report.error, "no");
  EXPECT_EQ(faults("5"), "/updates/3 ");
  EXPECT_EQ(faults("{}"), "/updates/3/job_id ");
  EXPECT_EQ(faults(R"({"job_id":5,"status":"running"})"), "/updates/3/job_id ");
  EXPECT_EQ(faults(R"({"job_id":"x","status":"running"})"), "/updates/3/job_id ");
  EXPECT_EQ(faults(named + "}"), std::string(id) + ": /updates/3/status ");
  EXPECT_EQ(faults(named + R"(,"status":"running","a/b":1})"), std::string(id) + ": /updates/3/a~1b ");
}

TEST_F(IntakeTest, NamesTheMembersOfASubmissionThatAreWrong) {
  EXPECT_EQ(faults_of_submission(client, R"({"job_id":"x","metadata":[],"what":1})"), "/job_id /metadata /what ");
  EXPECT_EQ(faults_of_submission(client, R"({"metadata":{"a":"0123456789012345678901234"}})"), "/metadata ");
  EXPECT_EQ(faults_of_submission(client, R"({"owner":"key_9"})"), "/owner ");
  EXPECT_EQ(faults_of_submission(client, R"({"owner":"key_1"})"), "") << "its own id";
  EXPECT_EQ(faults_of_submission(worker, R"({"owner":"key_9"})"), "");
  EXPECT_EQ(faults_of_submission(worker, R"({"owner":"nine"})"), "/owner ");
}

TEST_F(IntakeTest, GivesASubmissionAnIdWhenItHasNone) {
  const auto read = intake_.read_submission(client, object("{}"));
  EXPECT_NE(std::get<Submission>(read).job, JobId{});
}

}  // namespace
}  // namespace carillon::hub
