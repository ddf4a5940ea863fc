#include "channels/webhook/job_hook.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

struct Read {
  std::optional<hub::JobHook> hook;
  std::vector<std::string> pointers;
};

Read read(std::string_view body) {
  const auto parsed = hub::json::parse_object(body);
  std::vector<net::http::Invalid> invalid;
  Read read{read_job_hook(std::get<hub::json::Object>(parsed), UrlPolicy{}, invalid), {}};
  for (const auto& one : invalid) read.pointers.push_back(one.pointer);
  return read;
}

using Pointers = std::vector<std::string>;

TEST(JobHook, IsThereWithItsUrl) {
  EXPECT_FALSE(read(R"({"job_id":"x","metadata":{}})").hook);
  EXPECT_FALSE(read(R"({"webhook_url":null})").hook);
  const auto plain = read(R"({"webhook_url":"https://a.example/h"})");
  EXPECT_EQ(plain.hook->url, "https://a.example/h");
  EXPECT_EQ(plain.hook->events, hub::final_events);
  EXPECT_EQ(plain.hook->secret, "");
  const auto full = read(R"({"webhook_url":"https://a.example/h","webhook_events":["job.running"],)"
                         R"("webhook_secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})");
  EXPECT_EQ(full.pointers, Pointers{});
  EXPECT_EQ(full.hook->events, hub::EventKinds{}.with(hub::EventKind::running));
  EXPECT_EQ(full.hook->secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST(JobHook, NamesEveryMemberThatIsWrong) {
  EXPECT_EQ(read(R"({"webhook_url":"http://a.example/","webhook_events":["job.won","job.failed",3],)"
                 R"("webhook_secret":"secret","webhook_color":1})")
                .pointers,
            (Pointers{"/webhook_url", "/webhook_events/0", "/webhook_events/2", "/webhook_secret", "/webhook_color"}));
  EXPECT_EQ(read(R"({"webhook_color":null})").pointers, Pointers{"/webhook_color"});
  EXPECT_EQ(read(R"({"webhook_url":7})").pointers, Pointers{"/webhook_url"});
  EXPECT_EQ(read(R"({"webhook_url":"https://a.example/","webhook_events":[]})").pointers, Pointers{"/webhook_events"});
  EXPECT_EQ(read(R"({"webhook_events":["job.failed"]})").pointers, Pointers{"/webhook_events"});
}

}  // namespace
}  // namespace carillon::channels::webhook
