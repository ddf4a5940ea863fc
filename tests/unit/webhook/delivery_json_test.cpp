#include "channels/webhook/delivery_json.h"

#include <gtest/gtest.h>

#include "hub/json.h"

namespace carillon::channels::webhook {
namespace {

TEST(DeliveryJson, HasEveryMember) {
  hub::DeliveryReport delivery;
  delivery.id = {1};
  delivery.endpoint = {2};
  delivery.state = hub::DeliveryState::pending;
  delivery.attempts = 3;
  delivery.created_at = 1'000;
  delivery.due_at = 2'000;
  delivery.seq = 42;
  delivery.kind = hub::EventKind::succeeded;
  delivery.job = hub::JobId::parse("550e8400-e29b-41d4-a716-446655440000");
  EXPECT_EQ(delivery_json(delivery),
            R"({"id":"dlv_1","webhook_id":"we_2","message_id":"msg_0000000000000000000000","event":"job.succeeded",)"
            R"("job_id":"550e8400-e29b-41d4-a716-446655440000","seq":42,"status":"pending","attempt_count":3,)"
            R"("next_attempt_at":"1970-01-01T00:00:02.000Z","created_at":"1970-01-01T00:00:01.000Z"})");
}

TEST(DeliveryJson, WhatIsNotThereIsNull) {
  hub::DeliveryReport delivery;
  delivery.id = {1};
  delivery.endpoint = {2};
  delivery.state = hub::DeliveryState::failed;
  delivery.kind = hub::EventKind::webhook_test;
  EXPECT_EQ(delivery_json(delivery, {}),
            R"({"id":"dlv_1","webhook_id":"we_2","message_id":"msg_0000000000000000000000","event":"webhook.test",)"
            R"("job_id":null,"seq":null,"status":"failed","attempt_count":0,"next_attempt_at":null,)"
            R"("created_at":"1970-01-01T00:00:00.000Z","attempts":[]})");
}

TEST(DeliveryJson, ShowsAttemptsWhateverAnAnswerHeld) {
  const hub::AttemptRecord refused{1, 1'000, 7, 0, "Connection refused", ""};
  const hub::AttemptRecord answered{2, 2'000, 8, 500, "", "a \"word\"\x01\xff"};
  const std::string json = delivery_json({}, {refused, answered});
  EXPECT_NE(json.find(R"("attempts":[{"number":1,"started_at":"1970-01-01T00:00:01.000Z","duration_ms":7,)"
                      R"("status":null,"error":"Connection refused","response":""},)"
                      R"({"number":2,"started_at":"1970-01-01T00:00:02.000Z","duration_ms":8,"status":500,)"
                      R"("error":null,"response":"a \"word\"\u0001)"
                      "\xEF\xBF\xBD\"}]}"),
            std::string::npos)
      << json;
  EXPECT_FALSE(std::holds_alternative<hub::json::Error>(hub::json::check(json)));
}

}  // namespace
}  // namespace carillon::channels::webhook
