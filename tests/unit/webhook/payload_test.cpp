#include "channels/webhook/payload.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
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

TEST(Payload, IsMadeOnce) {
  const Succeeded event;
  EXPECT_EQ(payload(event).get(), payload(event).get());
}

}  // namespace
}  // namespace carillon::channels::webhook
