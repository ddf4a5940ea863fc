#include <gmock/gmock.h>

#include <string>

#include "app/top_figures.h"
#include "app/top_screen.h"

namespace carillon::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

const std::string before = R"(# HELP carillon_events_total Events.
# TYPE carillon_events_total counter
carillon_events_total{kind="job.queued"} 10
carillon_events_total{kind="job.running"} 10
carillon_http_requests_total{class="2xx"} 100
carillon_http_requests_total{class="5xx"} 5
carillon_commit_seconds_bucket{le="0.001"} 50
carillon_commit_seconds_bucket{le="0.01"} 50
carillon_commit_seconds_bucket{le="+Inf"} 50
carillon_webhook_endpoint_attempts_total{webhook="we_1",outcome="delivered"} 10
carillon_webhook_endpoint_attempt_seconds_total{webhook="we_1"} 1
carillon_webhook_endpoint_attempts_total{webhook="we_2",outcome="timeout"} 4
carillon_webhook_endpoint_attempt_seconds_total{webhook="we_2"} 40
)";

const std::string after = R"(carillon_events_total{kind="job.queued"} 30
carillon_events_total{kind="job.running"} 20
carillon_http_requests_total{class="2xx"} 120
carillon_http_requests_total{class="5xx"} 7
carillon_commit_seconds_bucket{le="0.001"} 150
carillon_commit_seconds_bucket{le="0.01"} 250
carillon_commit_seconds_bucket{le="+Inf"} 250
carillon_webhook_endpoint_attempts_total{webhook="we_1",outcome="delivered"} 20
carillon_webhook_endpoint_attempt_seconds_total{webhook="we_1"} 6
carillon_webhook_endpoint_attempts_total{webhook="we_2",outcome="timeout"} 4
carillon_webhook_endpoint_attempt_seconds_total{webhook="we_2"} 40
carillon_webhook_oldest_due_timestamp_seconds 940
carillon_store_writable 1
carillon_stuck{part="loop-0"} 0
carillon_stuck{part="store"} 1
carillon_build_info{version="1.2.3"} 1
process_start_time_seconds 400
)";

TopFigures figures() { return work_out(read_samples(before), read_samples(after), 2, 1000); }

TEST(TopFigures, AreOfTheTimeBetweenTwoLooks) {
  const TopFigures found = figures();
  EXPECT_EQ(found.version, "1.2.3");
  EXPECT_DOUBLE_EQ(found.up_s, 600);
  EXPECT_DOUBLE_EQ(found.events_per_s, 15);
  EXPECT_DOUBLE_EQ(found.requests_per_s, 11);
  EXPECT_DOUBLE_EQ(found.errors_per_s, 1);
  EXPECT_DOUBLE_EQ(*found.longest_due_s, 60);
  EXPECT_THAT(found.stuck, ElementsAre("store"));
  EXPECT_DOUBLE_EQ(*found.commit_p50_s, 0.001);
  EXPECT_NEAR(*found.commit_p99_s, 0.00982, 1e-6);
  EXPECT_FALSE(found.loop_lag_p99_s);
}

TEST(TopFigures, EndpointsThatFailComeFirst) {
  const TopFigures found = figures();
  ASSERT_EQ(found.endpoints.size(), 2U);
  EXPECT_EQ(found.endpoints[0].id, "we_2");
  EXPECT_DOUBLE_EQ(found.endpoints[0].failed_share, 1) << "of all, for there were no attempts between the looks";
  EXPECT_DOUBLE_EQ(found.endpoints[0].attempts_per_s, 0);
  EXPECT_DOUBLE_EQ(found.endpoints[1].attempts_per_s, 5);
  EXPECT_DOUBLE_EQ(found.endpoints[1].seconds, 0.5);
}

TEST(TopFigures, AHubThatWasStartedAnewHasBegunAtNothing) {
  EXPECT_DOUBLE_EQ(work_out(read_samples(after), read_samples(before), 2, 1000).events_per_s, 10);
}

TEST(TopFigures, WhatIsNoPageHasNone) {
  EXPECT_TRUE(read_samples("").empty());
  EXPECT_TRUE(read_samples("# a\nnothing\na b\n").empty());
  EXPECT_TRUE(work_out({}, {}, 0, 0).endpoints.empty());
}

TEST(TopScreen, SaysWhatIsWrongFirst) {
  TopFigures shown = figures();
  EXPECT_THAT(top_lines(shown, 10).front(), HasSubstr("STUCK: store"));
  shown.stuck.clear();
  EXPECT_THAT(top_lines(shown, 10).front(), HasSubstr("   well"));
  shown.writable = false;
  EXPECT_THAT(top_lines(shown, 10).front(), HasSubstr("THE STORE CANNOT WRITE"));
  EXPECT_THAT(top_lines(shown, 10), Contains(StartsWith("we_2")));
  EXPECT_THAT(top_lines(shown, 1), Contains(StartsWith("we_2")));
  EXPECT_THAT(top_lines(shown, 1), testing::Not(Contains(StartsWith("we_1"))));
}

TEST(TopScreen, AFrameFitsItsTerminalAndHoldsNoForeignCommands) {
  const std::string frame = top_frame({"first line", "sec\x1b[2Jond", "third"}, 6, 2);
  EXPECT_EQ(frame, "\x1b[Hfirst \x1b[K\r\nsec?[2\x1b[K\x1b[J");
}

TEST(TopScreen, JsonHasNullForWhatThereIsNoneOf) {
  const std::string json = top_json(work_out({}, {}, 1, 0));
  EXPECT_THAT(json, HasSubstr(R"("commit_p50_seconds":null)"));
  EXPECT_THAT(json, HasSubstr(R"("endpoints":[]})"));
  EXPECT_THAT(top_json(figures()), HasSubstr(R"("stuck":["store"])"));
}

}  // namespace
}  // namespace carillon::app
