#include "hub/webhook.h"

#include <gtest/gtest.h>

namespace carillon::hub {
namespace {

TEST(Webhook, EventsOfNoJobSayWhichWebhookAndWhy) {
  Endpoint endpoint;
  endpoint.id = {62};
  endpoint.url = "https://a.example/\"hook\"";
  endpoint.disabled_reason = "It answered 410.";
  EXPECT_EQ(*disabled_event_data(endpoint),
            R"({"webhook_id":"we_10","url":"https://a.example/\"hook\"","reason":"It answered 410."})");
  EXPECT_EQ(*test_event_data(endpoint.id), R"({"webhook_id":"we_10"})");
}

TEST(Webhook, ATestCannotBeAskedForInAFilter) {
  EXPECT_EQ(to_text(EventKind::webhook_test), "webhook.test");
  EXPECT_EQ(parse_event_kind("webhook.test"), std::nullopt);
  EXPECT_EQ(to_text(EventKind::webhook_disabled), "webhook.disabled");
  for (const auto kind : {EventKind::queued, EventKind::running, EventKind::progress, EventKind::succeeded,
                          EventKind::failed, EventKind::webhook_disabled}) {
    EXPECT_EQ(parse_event_kind(to_text(kind)), kind);
  }
}

TEST(Webhook, SigningHasItsNames) {
  EXPECT_EQ(to_text(Signing::hmac), "hmac");
  EXPECT_EQ(to_text(Signing::ed25519), "ed25519");
}

}  // namespace
}  // namespace carillon::hub
