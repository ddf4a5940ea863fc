#include "channels/webhook/endpoint_body.h"

#include <gmock/gmock.h>

namespace carillon::channels::webhook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The status and the members that are wrong: "422 /url /events/1"; empty where nothing is.
std::string wrong_of(std::string_view body, EndpointBodyUse use = EndpointBodyUse::create) {
  const auto read = read_endpoint_body(body, use, UrlPolicy{});
  const auto* problem = std::get_if<net::http::Problem>(&read);
  if (problem == nullptr) return "";
  std::string text = std::to_string(problem->status);
  for (const auto& invalid : problem->invalid) text += " " + invalid.pointer;
  return text;
}

std::string detail_of(std::string_view body, EndpointBodyUse use = EndpointBodyUse::create) {
  const auto read = read_endpoint_body(body, use, UrlPolicy{});
  const auto* problem = std::get_if<net::http::Problem>(&read);
  return problem != nullptr ? problem->detail : "";
}

/// A body to create with, that says `more` besides its URL.
std::string with(const std::string& more) { return R"({"url":"https://a.example/",)" + more + "}"; }

EndpointBody read(std::string_view text, EndpointBodyUse use) {
  return std::get<EndpointBody>(read_endpoint_body(text, use, UrlPolicy{}));
}

TEST(EndpointBody, ReadsWhatItSays) {
  const auto body = read(with(R"("events":["job.queued"],"description":"mine","headers":{"X-Till":"7 b","x":"y"},)"
                              R"("secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","signing":"ed25519",)"
                              R"("ordered":true,"max_per_second":10000,"legacy_signature":"X-Old-Signature")"),
                         EndpointBodyUse::create);
  EXPECT_EQ(body.url, "https://a.example/");
  EXPECT_EQ(body.events, hub::EventKinds{}.with(hub::EventKind::queued));
  EXPECT_EQ(body.description, "mine");
  EXPECT_THAT(*body.headers, ElementsAre(hub::HeaderField{"X-Till", "7 b"}, hub::HeaderField{"x", "y"}));
  EXPECT_EQ(body.secret, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  EXPECT_EQ(body.signing, hub::Signing::ed25519);
  EXPECT_EQ(body.ordered, true);
  EXPECT_EQ(body.max_per_second, 10'000);
  EXPECT_EQ(body.legacy_signature, "X-Old-Signature");
}

TEST(EndpointBody, NullIsAsIfItWereNotThereToCreate) {
  const auto body = read(with(R"("events":null,"description":null,"headers":null,"secret":null,"signing":null,)"
                              R"("ordered":null,"max_per_second":null,"legacy_signature":null)"),
                         EndpointBodyUse::create);
  EXPECT_FALSE(body.events || body.description || body.headers || body.secret || body.signing || body.ordered ||
               body.max_per_second || body.legacy_signature);
}

TEST(EndpointBody, NullSetsTheDefaultInAChange) {
  const auto body = read(R"({"events":null,"description":null,"headers":null,"ordered":null,"max_per_second":null,)"
                         R"("legacy_signature":null})",
                         EndpointBodyUse::change);
  EXPECT_EQ(body.events, hub::final_events);
  EXPECT_EQ(body.description, "");
  EXPECT_THAT(*body.headers, IsEmpty());
  EXPECT_EQ(body.ordered, false);
  EXPECT_EQ(body.max_per_second, 0);
  EXPECT_EQ(body.legacy_signature, "");
  EXPECT_EQ(body.url, std::nullopt);
}

TEST(EndpointBody, AChangeSaysOnlyWhatItSays) {
  const auto nothing = read("{}", EndpointBodyUse::change);
  EXPECT_FALSE(nothing.url || nothing.events || nothing.description || nothing.headers || nothing.ordered ||
               nothing.max_per_second || nothing.legacy_signature || nothing.status);
  EXPECT_EQ(read(R"({"status":"disabled"})", EndpointBodyUse::change).status, hub::EndpointStatus::disabled);
  EXPECT_EQ(read(R"({"status":"enabled"})", EndpointBodyUse::change).status, hub::EndpointStatus::enabled);
}

TEST(EndpointBody, NamesWhatIsWrong) {
  struct Case {
    std::string body;
    std::string wrong;
  };
  const std::string name_129(129, 'n');
  const std::string value_1025(1025, 'v');
  std::string headers_21;
  for (int i = 0; i < 21; ++i) headers_21 += (i == 0 ? "\"h" : ",\"h") + std::to_string(i) + R"(":"v")";
  for (const Case& one : std::vector<Case>{
           {"{", "400"},
           {"[]", "400"},
           {R"({"url":"https://a.example/","url":"https://a.example/"})", "400"},
           {"{}", "422 /url"},
           {R"({"url":null})", "422 /url"},
           {R"({"url":1})", "422 /url"},
           {R"({"url":"http://a.example/"})", "422 /url"},
           {with(R"("colour":1)"), "422 /colour"},
           {with(R"("a/b~c":1)"), "422 /a~1b~0c"},
           {with(R"("status":"disabled")"), "422 /status"},
           {with(R"("events":"job.failed")"), "422 /events"},
           {with(R"("description":")" + std::string(513, 'd') + "\""), "422 /description"},
           {with(R"("secret":"x")"), "422 /secret"},
           {with(R"("secret":7)"), "422 /secret"},
           {with(R"("signing":"rsa")"), "422 /signing"},
           {with(R"("ordered":"yes")"), "422 /ordered"},
           {with(R"("ordered":1)"), "422 /ordered"},
           {with(R"("max_per_second":-1)"), "422 /max_per_second"},
           {with(R"("max_per_second":10001)"), "422 /max_per_second"},
           {with(R"("max_per_second":1.5)"), "422 /max_per_second"},
           {with(R"("max_per_second":"5")"), "422 /max_per_second"},
           {with(R"("legacy_signature":"")"), "422 /legacy_signature"},
           {with(R"("legacy_signature":"X Signature")"), "422 /legacy_signature"},
           {with(R"("legacy_signature":"Webhook-Signature")"), "422 /legacy_signature"},
           {with(R"("legacy_signature":true)"), "422 /legacy_signature"},
           {with(R"("headers":["X-Till: 7"])"), "422 /headers"},
           {with(R"("headers":{"X-Till":"7","X-Till":"8"})"), "422 /headers"},
           {with(R"("headers":{"X-Till":"7","x-till":"8"})"), "422 /headers/x-till"},
           {with(R"("headers":{"X-Till":7})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":null})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":""})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":" 7"})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":"7\t"})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":"7\r\nHost: b.example"})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":"sieben \u2714"})"), "422 /headers/X-Till"},
           {with(R"("headers":{"X-Till":")" + value_1025 + "\"}"), "422 /headers/X-Till"},
           {with(R"("headers":{"":"7"})"), "422 /headers/"},
           {with(R"("headers":{"X Till":"7"})"), "422 /headers/X Till"},
           {with(R"("headers":{"X-Till:":"7"})"), "422 /headers/X-Till:"},
           {with(R"("headers":{"a/b":"7"})"), "422 /headers/a~1b"},
           {with(R"("headers":{")" + name_129 + R"(":"7"})"), "422 /headers/" + name_129},
           {with(R"("headers":{)" + headers_21 + "}"), "422 /headers"},
           {with(R"("headers":{"X-Old":"7"},"legacy_signature":"x-old")"), "422 /headers/X-Old"},
           {R"({"colour":1,"url":1,"events":[]})", "422 /url /events /colour"},
       }) {
    EXPECT_EQ(wrong_of(one.body), one.wrong) << one.body;
  }
  for (const Case& one : std::vector<Case>{{R"({"url":null})", "422 /url"},
                                           {R"({"status":null})", "422 /status"},
                                           {R"({"status":"gone"})", "422 /status"},
                                           {R"({"secret":"x"})", "422 /secret"},
                                           {R"({"secret":null})", "422 /secret"},
                                           {R"({"signing":"hmac"})", "422 /signing"},
                                           {R"({"id":"we_1"})", "422 /id"},
                                           {R"({"url":"http://a.example/"})", "422 /url"}}) {
    EXPECT_EQ(wrong_of(one.body, EndpointBodyUse::change), one.wrong) << one.body;
  }
}

TEST(EndpointBody, SaysInWordsWhatIsWrong) {
  EXPECT_EQ(detail_of("{}"), "The body is not valid: /url is missing.");
  EXPECT_EQ(detail_of(with(R"("colour":1)")), "The body is not valid: /colour is not known here.");
  EXPECT_EQ(detail_of(R"({"url":1})"), "The body is not valid: /url must be a JSON string, not number.");
  EXPECT_EQ(detail_of(R"({"secret":"x"})", EndpointBodyUse::change),
            "The body is not valid: /secret is changed by POST /webhooks/{id}/rotate-secret.");
}

TEST(EndpointBody, TakesWhatIsAtItsLimit) {
  std::string headers;
  for (int i = 0; i < 20; ++i) {
    const std::string name = std::string(126, 'n') + std::to_string(10 + i);
    headers += (i == 0 ? "\"" : ",\"") + name + R"(":")" + std::string(1024, 'v') + "\"";
  }
  const auto body = read(with(R"("headers":{)" + headers + "}"), EndpointBodyUse::create);
  EXPECT_EQ(body.headers->size(), 20U);
}

TEST(EndpointBody, AHeaderAndTheLegacySignatureMayNotBeOne) {
  const std::vector<hub::HeaderField> headers = {{"X-Till", "7"}, {"X-Old", "1"}};
  EXPECT_FALSE(clash_of(headers, ""));
  EXPECT_FALSE(clash_of(headers, "X-Signature"));
  const auto clash = clash_of(headers, "x-OLD");
  ASSERT_TRUE(clash);
  EXPECT_EQ(clash->status, 422);
  EXPECT_EQ(clash->invalid.at(0).pointer, "/headers/X-Old");
}

TEST(EndpointJson, HasEveryMemberInOneOrder) {
  hub::Endpoint endpoint;
  endpoint.id = {1};
  endpoint.owner.key = {2};
  endpoint.url = "https://a.example/";
  EXPECT_EQ(endpoint_json(endpoint),
            R"({"id":"we_1","kind":"registered","owner":"key_2","url":"https://a.example/","description":"",)"
            R"("events":["job.succeeded","job.failed"],"headers":{},"signing":"hmac","ordered":false,)"
            R"("max_per_second":0,"legacy_signature":null,"status":"enabled","disabled_reason":null,)"
            R"("failing_since":null,"held_until":null,"created_at":"1970-01-01T00:00:00.000Z"})");
  endpoint.for_jobs = true;
  endpoint.description = "mine";
  endpoint.headers = {{"X-Till", "7 \"b\""}, {"x", "y"}};
  endpoint.signing = hub::Signing::ed25519;
  endpoint.public_key = "whpk_x";
  endpoint.ordered = true;
  endpoint.max_per_second = 5;
  endpoint.legacy_signature = "X-Old";
  endpoint.status = hub::EndpointStatus::disabled;
  endpoint.disabled_reason = "It answered 410.";
  endpoint.failing_since = 1'000;
  endpoint.held_until = 2'000;
  EXPECT_EQ(endpoint_json(endpoint, {.account = "default"}),
            R"({"id":"we_1","kind":"jobs","account":"default","owner":"key_2","url":"https://a.example/",)"
            R"("description":"mine","events":["job.succeeded","job.failed"],"headers":{"X-Till":"7 \"b\"","x":"y"},)"
            R"("signing":"ed25519","public_key":"whpk_x","ordered":true,"max_per_second":5,)"
            R"("legacy_signature":"X-Old","status":"disabled","disabled_reason":"It answered 410.",)"
            R"("failing_since":"1970-01-01T00:00:01.000Z","held_until":"1970-01-01T00:00:02.000Z",)"
            R"("created_at":"1970-01-01T00:00:00.000Z"})");
}

TEST(EndpointJson, TheSecretIsShownOnlyWhenAsked) {
  const hub::Endpoint endpoint;
  EXPECT_THAT(endpoint_json(endpoint), Not(HasSubstr("secret")));
  EXPECT_THAT(endpoint_json(endpoint, {.secret = "whsec_x"}), HasSubstr(R"(,"secret":"whsec_x"})"));
  EXPECT_THAT(endpoint_json(endpoint, {.secret = "whsec_x", .previous_valid_until = 5}),
              HasSubstr(R"(,"secret":"whsec_x","previous_valid_until":"1970-01-01T00:00:00.005Z"})"));
}

}  // namespace
}  // namespace carillon::channels::webhook
