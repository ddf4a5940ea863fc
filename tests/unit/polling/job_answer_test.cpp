#include "channels/polling/job_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::channels::polling {
namespace {

using testing::HasSubstr;
using testing::Not;

hub::Job job(hub::JobStatus status) {
  hub::Job job;
  job.status = status;
  job.updated_at = 1'000'000;
  job.seq = 9;
  return job;
}

TEST(JobAnswer, ATenthOfItsAgeIsHowSoonAJobIsWorthAnotherLook) {
  const auto after = [](std::int64_t age_s) {
    return retry_after_s(job(hub::JobStatus::running), 1'000'000 + age_s * 1000, 10);
  };
  EXPECT_EQ(after(-5), 1) << "a clock that was set back";
  EXPECT_EQ(after(0), 1);
  EXPECT_EQ(after(19), 1);
  EXPECT_EQ(after(50), 5);
  EXPECT_EQ(after(1'000'000), 10);
}

TEST(JobAnswer, SaysWhenToAskAgainUntilTheJobIsFinal) {
  const auto running = whole(job(hub::JobStatus::running), "{}", {}, 3);
  EXPECT_EQ(running.status, 200);
  EXPECT_THAT(running.fields, HasSubstr("ETag: \"9\"\r\n"));
  EXPECT_THAT(running.fields, HasSubstr("Retry-After: 3\r\n"));
  EXPECT_THAT(running.fields, Not(HasSubstr("Preference-Applied")));
  const auto same = unchanged(job(hub::JobStatus::succeeded), {7, true}, 3);
  EXPECT_EQ(same.status, 304);
  EXPECT_TRUE(same.body.empty());
  EXPECT_THAT(same.fields, HasSubstr("ETag: \"9\"\r\n"));
  EXPECT_THAT(same.fields, HasSubstr("Preference-Applied: wait=7\r\n"));
  EXPECT_THAT(same.fields, Not(HasSubstr("Retry-After")));
}

}  // namespace
}  // namespace carillon::channels::polling
