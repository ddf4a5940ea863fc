#include "channels/webhook/endpoint_call_bodies.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

template <typename T>
std::string wrong_of(const Read<T>& read) {
  const auto* problem = std::get_if<net::http::Problem>(&read);
  if (problem == nullptr) return "";
  std::string text = std::to_string(problem->status);
  for (const auto& invalid : problem->invalid) text += " " + invalid.pointer;
  return text;
}

TEST(ReplayBody, TakesTimesInBothForms) {
  const auto all =
      std::get<ReplayBody>(read_replay_body(R"({"since":"2024-11-01T08:52:28Z","until":1730451149,"status":"all"})"));
  EXPECT_EQ(all.since, 1'730'451'148'000);
  EXPECT_EQ(all.until, 1'730'451'149'000);
  EXPECT_TRUE(all.delivered_too);
  const auto failed = std::get<ReplayBody>(read_replay_body(R"({"since":0,"until":null,"status":null})"));
  EXPECT_EQ(failed.since, 0);
  EXPECT_EQ(failed.until, std::nullopt);
  EXPECT_FALSE(failed.delivered_too);
  EXPECT_FALSE(std::get<ReplayBody>(read_replay_body(R"({"since":0,"status":"failed"})")).delivered_too);
}

TEST(ReplayBody, NamesWhatIsWrong) {
  struct Case {
    const char* body;
    const char* wrong;
  };
  for (const Case& one :
       {Case{"", "400"}, Case{"{}", "422 /since"}, Case{R"({"since":null})", "422 /since"},
        Case{R"({"since":"yesterday"})", "422 /since"}, Case{R"({"since":"2024-11-01"})", "422 /since"},
        Case{R"({"since":1.5})", "422 /since"}, Case{R"({"since":-1})", "422 /since"},
        Case{R"({"since":1730451148000})", "422 /since"}, Case{R"({"since":9223372036854775807})", "422 /since"},
        Case{R"({"since":true})", "422 /since"}, Case{R"({"since":5,"until":"soon"})", "422 /until"},
        Case{R"({"since":5,"until":5})", "422 /until"}, Case{R"({"since":5,"until":4})", "422 /until"},
        Case{R"({"since":5,"status":"pending"})", "422 /status"}, Case{R"({"since":5,"status":1})", "422 /status"},
        Case{R"({"since":5,"after":"dlv_1"})", "422 /after"}}) {
    EXPECT_EQ(wrong_of(read_replay_body(one.body)), one.wrong) << one.body;
  }
}

TEST(SecretRotationBody, MayBeMissing) {
  for (const char* body : {"", "{}", R"({"secret":null,"overlap_s":null})"}) {
    const auto read = std::get<SecretRotationBody>(read_secret_rotation_body(body));
    EXPECT_FALSE(read.secret || read.overlap_s) << body;
  }
  const auto read = std::get<SecretRotationBody>(
      read_secret_rotation_body(R"({"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","overlap_s":0})"));
  EXPECT_EQ(read.secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(read.overlap_s, 0);
}

TEST(SecretRotationBody, NamesWhatIsWrong) {
  EXPECT_EQ(wrong_of(read_secret_rotation_body("x")), "400");
  EXPECT_EQ(wrong_of(read_secret_rotation_body(R"({"secret":"x"})")), "422 /secret");
  EXPECT_EQ(wrong_of(read_secret_rotation_body(R"({"overlap_s":-1})")), "422 /overlap_s");
  EXPECT_EQ(wrong_of(read_secret_rotation_body(R"({"overlap_s":2592001})")), "422 /overlap_s");
  EXPECT_EQ(wrong_of(read_secret_rotation_body(R"({"hmac":1})")), "422 /hmac");
}

}  // namespace
}  // namespace carillon::channels::webhook
