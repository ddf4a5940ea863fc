#include "channels/webhook/event_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

using hub::EventKind;
using hub::EventKinds;

constexpr std::string_view all = "job.queued, job.running, job.progress, job.succeeded, job.failed, webhook.disabled";

struct Read {
  std::optional<EventKinds> kinds;
  std::vector<std::string> faults;  ///< "pointer detail"
};

Read read(const std::string& text) {
  const auto value = hub::json::check(text);
  std::vector<net::http::Invalid> invalid;
  Read read{read_event_filter(std::get<hub::json::Value>(value), "/events", invalid), {}};
  for (const auto& one : invalid) read.faults.push_back(one.pointer + " " + one.detail);
  return read;
}

TEST(EventFilter, TakesEveryKindThatCanBeAskedFor) {
  EXPECT_EQ(read(R"(["job.succeeded","job.failed"])").kinds, hub::final_events);
  EXPECT_EQ(read(R"(["webhook.disabled"])").kinds, EventKinds{}.with(EventKind::webhook_disabled));
  EXPECT_EQ(read(R"(["job.failed","job.failed"])").kinds, EventKinds{}.with(EventKind::failed));
  EXPECT_EQ(
      read(R"(["job.queued","job.running","job.progress","job.succeeded","job.failed","webhook.disabled"])").kinds,
      EventKinds{0b11'1111});
}

TEST(EventFilter, NamesWhatItTakes) {
  const std::string one_of = "must be one of " + std::string(all);
  for (const char* wrong : {R"("webhook.test")", R"("job.lost")", R"("")", "7", "null", "[]"}) {
    const Read result = read(std::string(R"(["job.failed",)") + wrong + "]");
    EXPECT_EQ(result.kinds, std::nullopt) << wrong;
    EXPECT_THAT(result.faults, testing::ElementsAre("/events/1 " + one_of)) << wrong;
  }
  EXPECT_THAT(read("[]").faults, testing::ElementsAre("/events must name at least one event"));
  EXPECT_THAT(read(R"("job.failed")").faults, testing::ElementsAre("/events must be an array of " + std::string(all)));
}

TEST(EventFilter, IsShownAsItIsTaken) {
  EXPECT_EQ(event_filter_json(hub::final_events), R"(["job.succeeded","job.failed"])");
  EXPECT_EQ(event_filter_json(EventKinds{0xFF}),
            R"(["job.queued","job.running","job.progress","job.succeeded","job.failed","webhook.disabled"])");
  EXPECT_EQ(read(event_filter_json(EventKinds{0xFF})).kinds, EventKinds{0b11'1111});
}

}  // namespace
}  // namespace carillon::channels::webhook
