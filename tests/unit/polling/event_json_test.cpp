#include "channels/polling/event_json.h"

#include <gtest/gtest.h>

#include "channels/polling/event_streams.h"

namespace carillon::channels::polling {
namespace {

struct Succeeded : hub::Event {
  explicit Succeeded(const char* text) {
    seq = 42;
    job = *hub::JobId::parse("0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60");
    kind = hub::EventKind::succeeded;
    status = hub::JobStatus::succeeded;
    at = 1'730'451'148'999;
    result = hub::make_text(text);
  }
};

constexpr std::string_view in_feed =
    R"({"seq":42,"type":"job.succeeded","timestamp":"2024-11-01T08:52:28Z","data":{"job_id":)"
    R"("0189c9d4-6f3e-7c1a-9d2b-1b2c3d4e5f60","status":"succeeded","result":[1],"error":null,"ts":1730451148,"seq":42}})";

TEST(EventJson, IsThePayloadBehindItsNumber) {
  const Succeeded event("[1]");
  std::string text;
  append_event(text, event, {});
  EXPECT_EQ(text, in_feed);
  EXPECT_EQ(text, R"({"seq":42,)" + payload(event)->substr(1));
}

TEST(EventJson, APageSaysWhereItEnds) {
  EXPECT_EQ(FeedPage().end(7, false, "e\"1").text(), R"({"events":[],"next_after":7,"has_more":false,"epoch":"e\"1"})");
  const Succeeded event("[1]");
  FeedPage page;
  page.add(event, {});
  page.add(event, {});
  EXPECT_EQ(page.events(), 2U);
  EXPECT_EQ(page.end(42, true, "e").text(), R"({"events":[)" + std::string(in_feed) + "," + std::string(in_feed) +
                                                R"(],"next_after":42,"has_more":true,"epoch":"e"})");
}

TEST(EventFrame, HasIdTypeAndData) {
  EXPECT_EQ(event_frame(Succeeded("[1]"), {}), "id: 42\nevent: job.succeeded\ndata: " + std::string(in_feed) + "\n\n");
}

// A line of a stream ends at any of the three; one in the middle of a value must not end the event.
TEST(EventFrame, ADataLineForEachLine) {
  const std::string frame = event_frame(Succeeded("[\n1,\r\n2,\r3\n\n]"), {});
  EXPECT_EQ(frame.find('\r'), std::string::npos);
  EXPECT_NE(frame.find("\"result\":[\ndata: 1,\ndata: 2,\ndata: 3\ndata: \ndata: ],\"error\""), std::string::npos)
      << frame;
  EXPECT_EQ(frame.find("\n\n"), frame.size() - 2);
}

}  // namespace
}  // namespace carillon::channels::polling
