#include "channels/polling/job_json.h"

#include <gtest/gtest.h>

namespace carillon::channels::polling {
namespace {

TEST(JobJson, HasEveryMemberOfTheContract) {
  hub::Job job;
  job.id = *hub::JobId::parse("550e8400-e29b-41d4-a716-446655440000");
  job.status = hub::JobStatus::succeeded;
  job.result = hub::make_text(R"({"a": 1})");
  job.metadata = hub::make_text("{}");
  job.created_at = 1'730'451'140'001;
  job.updated_at = 1'730'451'148'002;
  job.seq = 9;
  EXPECT_EQ(job_json(job).text(),
            R"({"job_id":"550e8400-e29b-41d4-a716-446655440000","status":"succeeded","result":{"a": 1},"error":null,)"
            R"("progress":null,"metadata":{},"created_at":"2024-11-01T08:52:20.001Z",)"
            R"("updated_at":"2024-11-01T08:52:28.002Z","ts":1730451148,"seq":9})");
}

TEST(JobJson, HoldsALargeResultAsTheJobDoes) {
  hub::Job job;
  job.result = hub::make_text('"' + std::string(1'000'000, 'r') + '"');
  job.metadata = hub::make_text(R"({"a":1})");
  const net::http::Body body = job_json(job);
  ASSERT_EQ(body.shared().size(), 1U);
  EXPECT_EQ(body.shared()[0].bytes, job.result) << "not a copy";
  EXPECT_LT(body.own_text().size(), 400U);
  const std::string text = body.text();
  EXPECT_EQ(text.size(), body.size());
  EXPECT_NE(text.find("\"result\":" + *job.result + ",\"error\":null,\"progress\":null,\"metadata\":{\"a\":1}"),
            std::string::npos);
}

TEST(Etag, MatchesAsIfNoneMatchHasIt) {
  EXPECT_TRUE(etag_matches("\"9\"", "\"9\""));
  EXPECT_TRUE(etag_matches("W/\"9\"", "\"9\""));
  EXPECT_TRUE(etag_matches("\"8\", \"9\"", "\"9\""));
  EXPECT_TRUE(etag_matches("*", "\"9\""));
  EXPECT_FALSE(etag_matches("\"8\"", "\"9\""));
  EXPECT_FALSE(etag_matches("9", "\"9\""));
  EXPECT_FALSE(etag_matches("", "\"9\""));
}

}  // namespace
}  // namespace carillon::channels::polling
