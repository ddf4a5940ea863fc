#include "channels/webhook/endpoint_body.h"

#include <gmock/gmock.h>

namespace carillon::channels::webhook {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string detail_of(std::string_view body, EndpointBodyUse use = EndpointBodyUse::create) {
  const auto read = read_endpoint_body(body, use, UrlPolicy{});
  const auto* problem = std::get_if<net::http::Problem>(&read);
  return problem != nullptr ? std::to_string(problem->status) + " " + problem->detail : "";
}

TEST(EndpointBody, ReadsWhatItSays) {
  const auto read =
      read_endpoint_body(R"({"url":"https://a.example/","events":["job.queued"],"description":"mine","secret":null})",
                         EndpointBodyUse::create, UrlPolicy{});
  const auto& body = std::get<EndpointBody>(read);
  EXPECT_EQ(body.url, "https://a.example/");
  EXPECT_EQ(body.events, hub::EventKinds{}.with(hub::EventKind::queued));
  EXPECT_EQ(body.description, "mine");
  EXPECT_EQ(body.secret, std::nullopt);
}

TEST(EndpointBody, NamesWhatIsWrong) {
  EXPECT_THAT(detail_of("{"), HasSubstr("400 "));
  EXPECT_EQ(detail_of("{}"), "422 The body is not valid: /url is missing.");
  EXPECT_EQ(detail_of(R"({"url":"https://a.example/","colour":1})"),
            "422 The body is not valid: /colour is not known here.");
  for (const char* later : {"headers", "signing", "ordered", "max_per_second", "legacy_signature"}) {
    EXPECT_THAT(detail_of(R"({"url":"https://a.example/",")" + std::string(later) + R"(":null})"),
                HasSubstr("/" + std::string(later) + " is not known here"));
  }
  EXPECT_EQ(detail_of(R"({"url":1})"), "422 The body is not valid: /url must be a string.");
  EXPECT_THAT(detail_of(R"({"url":"https://a.example/","secret":"x"})"), HasSubstr("/secret must be whsec_"));
  EXPECT_EQ(detail_of("{}", EndpointBodyUse::change), "");
  EXPECT_THAT(detail_of(R"({"secret":"x"})", EndpointBodyUse::change), HasSubstr("/secret is not known here"));
}

TEST(EndpointBody, TheSecretIsShownOnlyWhenAsked) {
  hub::Endpoint endpoint;
  endpoint.id = {1};
  endpoint.secret = "whsec_x";
  endpoint.disabled_reason = "It answered 410.";
  EXPECT_THAT(endpoint_json(endpoint), Not(HasSubstr("whsec_")));
  EXPECT_THAT(endpoint_json(endpoint, true), HasSubstr(R"("secret":"whsec_x")"));
  EXPECT_THAT(endpoint_json(endpoint), HasSubstr(R"("events":["job.succeeded","job.failed"])"));
  EXPECT_THAT(endpoint_json(endpoint), HasSubstr(R"("disabled_reason":"It answered 410.","failing_since":null)"));
}

}  // namespace
}  // namespace carillon::channels::webhook
