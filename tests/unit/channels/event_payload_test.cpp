#include "channels/event_payload.h"

#include <gtest/gtest.h>

namespace carillon::channels {
namespace {

struct Succeeded : hub::Event {
  Succeeded() {
    seq = 42;
    job = *hub::JobId::parse("0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60");
    kind = hub::EventKind::succeeded;
    status = hub::JobStatus::succeeded;
    at = 1'730'451'148'999;
  }
};

TEST(Payload, IsTheContractsMemberForMember) {
  Succeeded event;
  event.result = hub::make_text(R"({"pages": 12})");
  EXPECT_EQ(*payload(event),
            R"({"type":"job.succeeded","timestamp":"2024-11-01T08:52:28Z","data":{"job_id":)"
            R"("0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60","status":"succeeded","result":{"pages": 12},"error":null,)"
            R"("ts":1730451148,"seq":42}})");
}

TEST(Payload, CarriesErrorAndProgressWhereThereIsOne) {
  Succeeded event;
  event.kind = hub::EventKind::failed;
  event.status = hub::JobStatus::failed;
  event.error = hub::make_text("it said \"no\"");
  EXPECT_NE(payload(event)->find(R"("result":null,"error":"it said \"no\"","ts")"), std::string::npos);

  Succeeded progress;
  progress.kind = hub::EventKind::progress;
  progress.status = hub::JobStatus::running;
  progress.progress = hub::make_text(R"({"at":1})");
  EXPECT_NE(payload(progress)->find(R"("type":"job.progress")"), std::string::npos);
  EXPECT_NE(payload(progress)->find(R"("error":null,"progress":{"at":1},"ts")"), std::string::npos);
}

TEST(Payload, ALargeResultIsLeftOutForTheWayToIt) {
  const std::string result = "\"" + std::string(998, 'x') + "\"";
  const auto body_of = [&](const PayloadOptions& options) {
    Succeeded event;
    event.result = hub::make_text(result);
    return *payload(event, options);
  };
  const std::string whole = body_of({});
  ASSERT_NE(whole.find(R"("result":)" + result + R"(,"error":null)"), std::string::npos);
  EXPECT_EQ(body_of({whole.size(), "https://hub.example"}), whole);  // at the limit, not beyond it

  const std::string head =
      R"({"type":"job.succeeded","timestamp":"2024-11-01T08:52:28Z","data":{"job_id":)"
      R"("0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60","status":"succeeded","result":null,"result_url":")";
  const std::string tail =
      R"(/api/v1/jobs/0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60","error":null,"ts":1730451148,"seq":42}})";
  EXPECT_EQ(body_of({whole.size() - 1, "https://hub.example"}), head + "https://hub.example" + tail);
  EXPECT_EQ(body_of({whole.size() - 1, "https://hub.example/"}), head + "https://hub.example" + tail);
  EXPECT_EQ(body_of({whole.size() - 1, ""}), head + tail);
  EXPECT_EQ(body_of({0, ""}), head + tail);
}

TEST(Payload, AMegabyteIsTheLimitWhereNoneIsGiven) {
  Succeeded small;
  small.result = hub::make_text("\"" + std::string(1024 * 1024 - 300, 'x') + "\"");
  EXPECT_EQ(payload(small)->find("result_url"), std::string::npos);
  Succeeded large;
  large.result = hub::make_text("\"" + std::string(1024 * 1024, 'x') + "\"");
  EXPECT_NE(payload(large)->find(R"("result":null,"result_url":"/api/v1/jobs/0189c9d4-)"), std::string::npos);
  EXPECT_LT(payload(large)->size(), 1000U);
}

TEST(Payload, AnErrorIsNeverLeftOut) {
  Succeeded event;
  event.kind = hub::EventKind::failed;
  event.status = hub::JobStatus::failed;
  event.error = hub::make_text(std::string(64 * 1024, 'x'));
  event.progress = hub::make_text("7");
  const hub::Text body = payload(event, {100, "https://hub.example"});
  EXPECT_NE(body->find(R"("result":null,"error":"xxxx)"), std::string::npos);
  EXPECT_NE(body->find(R"(x","progress":7,"ts")"), std::string::npos);
  EXPECT_GT(body->size(), 64U * 1024);
}

TEST(Payload, AnEventOfNoJobCarriesItsDataAndItsSeq) {
  Succeeded disabled;
  disabled.kind = hub::EventKind::webhook_disabled;
  disabled.data = hub::make_text(R"({"webhook_id":"we_1","url":"https://example.com/","reason":"it {said} \"}\""})");
  EXPECT_EQ(*payload(disabled),
            R"({"type":"webhook.disabled","timestamp":"2024-11-01T08:52:28Z","data":{"webhook_id":"we_1",)"
            R"("url":"https://example.com/","reason":"it {said} \"}\"","seq":42}})");

  Succeeded empty;
  empty.kind = hub::EventKind::webhook_disabled;
  empty.data = hub::make_text("{}");
  EXPECT_EQ(*payload(empty), R"({"type":"webhook.disabled","timestamp":"2024-11-01T08:52:28Z","data":{"seq":42}})");
}

TEST(Payload, ATestHasNoSeq) {
  Succeeded test;
  test.kind = hub::EventKind::webhook_test;
  test.seq = 0;
  test.data = hub::make_text(R"({"webhook_id":"we_1"})");
  EXPECT_EQ(*payload(test, {1, ""}),
            R"({"type":"webhook.test","timestamp":"2024-11-01T08:52:28Z","data":{"webhook_id":"we_1"}})");
}

TEST(Payload, IsMadeOnce) {
  const Succeeded event;
  EXPECT_EQ(payload(event).get(), payload(event).get());
}

}  // namespace
}  // namespace carillon::channels
