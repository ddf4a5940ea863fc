#include "channels/websocket/messages.h"

#include <gtest/gtest.h>

#include <string>

namespace carillon::channels::websocket {
namespace {

/// The text of a short frame.
std::string text_of(const std::string& frame) {
  const std::size_t head = static_cast<unsigned char>(frame[1]) < 126 ? 2 : 4;
  return frame.substr(head);
}

hub::Job a_job() {
  hub::Job job;
  job.id = *hub::JobId::parse("550e8400-e29b-41d4-a716-446655440000");
  job.status = hub::JobStatus::running;
  job.updated_at = 1'730'451'142'500;
  job.seq = 42;
  return job;
}

TEST(Messages, AreTheProtocolsFieldForField) {
  EXPECT_EQ(text_of(connected_frame(1730451136)),
            R"({"type":"connected","message":"WebSocket connection established","ts":1730451136})");
  EXPECT_EQ(text_of(heartbeat_frame(1730451166)), R"({"type":"heartbeat","ts":1730451166})");
  EXPECT_EQ(text_of(pong_frame(1)), R"({"type":"pong","ts":1})");
  EXPECT_EQ(text_of(error_frame("a \"b\"", 1)), R"({"type":"error","message":"a \"b\"","ts":1})");
  EXPECT_EQ(text_of(subscribed_frame("*", 1)), R"({"type":"subscribed","job_id":"*","ts":1})");
  EXPECT_EQ(text_of(subscribed_frame("*", 1, true)), R"({"type":"subscribed","job_id":"*","recovered":true,"ts":1})");
  EXPECT_EQ(text_of(subscribed_frame("*", 1, false)), R"({"type":"subscribed","job_id":"*","recovered":false,"ts":1})");
  EXPECT_EQ(text_of(unsubscribed_frame("*", 1)), R"({"type":"unsubscribed","job_id":"*","ts":1})");
}

TEST(Messages, JobUpdateOfAJobAsItStands) {
  hub::Job job = a_job();
  EXPECT_EQ(text_of(job_update_frame(job, false)),
            R"({"type":"job_update","job_id":"550e8400-e29b-41d4-a716-446655440000","status":"running",)"
            R"("result":null,"error":null,"ts":1730451142})");
  job.progress = hub::make_text(R"({"m": 1})");
  EXPECT_EQ(text_of(job_update_frame(job, true)),
            R"({"type":"job_update","job_id":"550e8400-e29b-41d4-a716-446655440000","status":"running",)"
            R"("result":null,"error":null,"progress":{"m": 1},"seq":42,"ts":1730451142})");
  job.status = hub::JobStatus::succeeded;
  job.result = hub::make_text(R"({"x": 1})");
  EXPECT_EQ(text_of(job_update_frame(job, false)),
            R"({"type":"job_update","job_id":"550e8400-e29b-41d4-a716-446655440000","status":"succeeded",)"
            R"("result":{"x": 1},"error":null,"ts":1730451142})");
}

TEST(Messages, JobUpdateOfAnEvent) {
  hub::Event event;
  event.job = a_job().id;
  event.status = hub::JobStatus::failed;
  event.error = hub::make_text("403 \"no\"");
  event.at = 1'730'451'155'000;
  event.seq = 7;
  EXPECT_EQ(text_of(job_update_frame(event, false)),
            R"({"type":"job_update","job_id":"550e8400-e29b-41d4-a716-446655440000","status":"failed",)"
            R"("result":null,"error":"403 \"no\"","ts":1730451155})");
}

}  // namespace
}  // namespace carillon::channels::websocket
