#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::JobStatus;
using hub::Refusal;

constexpr hub::EventKinds all_events{0x1F};

TEST_F(StoreTest, AUrlIsRegisteredOnceForAKey) {
  open();
  const auto client = principal(make_key("acme"));
  const auto other = principal(make_key("acme"));
  const auto endpoint = make_endpoint(client, "https://a.example/hook");
  const auto again = new_endpoint(client, "https://a.example/hook");
  EXPECT_EQ(ask<hub::Endpoint>([&](auto then) { store_->create_endpoint(again, home_, then); }).refusal(),
            Refusal::already_exists);
  make_endpoint(other, "https://a.example/hook");
  ASSERT_EQ(endpoints_of(client.key).size(), 1U);
  EXPECT_EQ(endpoints_of(client.key)[0].id, endpoint.id);
  EXPECT_EQ(secret_of(endpoint.id), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST_F(StoreTest, AnEndpointHearsOfWhatItsKeyOwnsAndAskedFor) {
  open();
  const auto mine = principal(make_key("acme"));
  const auto colleague = principal(make_key("acme"));
  const auto all = make_endpoint(mine, "https://a.example/all", all_events);
  make_endpoint(mine, "https://a.example/final");
  make_endpoint(colleague, "https://a.example/colleague", all_events);
  const hub::Job job = submit(mine);
  EXPECT_EQ(due(all.id).size(), 1U);
  EXPECT_EQ(reader_->backlog().size(), 1U);
  ASSERT_TRUE(report(mine, job.id, JobStatus::failed));
  EXPECT_EQ(reader_->backlog().size(), 2U);
}

TEST_F(StoreTest, WithOwnershipByAccountItHearsOfTheAccountsJobs) {
  open(hub::OwnershipScope::account);
  const auto mine = principal(make_key("acme"));
  const auto colleague = principal(make_key("acme"));
  const auto stranger = principal(make_key("other"));
  const auto endpoint = make_endpoint(mine, "https://a.example/all", all_events);
  submit(colleague);
  submit(stranger);
  EXPECT_EQ(due(endpoint.id).size(), 1U);
}

TEST_F(StoreTest, AChangedFilterAndAnEndpointThatWasDisabledHoldAtOnceAndAfterARestart) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make_endpoint(client, "https://a.example/all", all_events);
  hub::EndpointChange wanted;
  wanted.by = client;
  wanted.endpoint = endpoint.id;
  wanted.events = hub::final_events;
  ASSERT_TRUE(change(wanted));
  submit(client);
  EXPECT_TRUE(reader_->backlog().empty());
  close();
  open();
  const hub::Job job = submit(client);
  EXPECT_TRUE(reader_->backlog().empty());
  ASSERT_TRUE(set_status(client, endpoint.id, hub::EndpointStatus::disabled));
  ASSERT_TRUE(report(client, job.id, JobStatus::failed));
  EXPECT_TRUE(reader_->backlog().empty());
}

TEST_F(StoreTest, AnothersEndpointIsNotThere) {
  open();
  const auto client = principal(make_key("acme"));
  const auto other = principal(make_key("other"));
  const auto endpoint = make_endpoint(client, "https://a.example/all");
  EXPECT_EQ(remove(other, endpoint.id).refusal(), Refusal::not_found);
  EXPECT_TRUE(reader_->find_endpoint(endpoint.id));
}

TEST_F(StoreTest, ADeletedEndpointOwesNothingMore) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make_endpoint(client, "https://a.example/all", all_events);
  submit(client);
  ASSERT_TRUE(remove(client, endpoint.id));
  EXPECT_TRUE(reader_->backlog().empty());
  EXPECT_FALSE(reader_->find_endpoint(endpoint.id));
  submit(client);
  EXPECT_TRUE(reader_->backlog().empty());
}

TEST_F(StoreTest, AJobsOwnHookHearsOfThatJobAlone) {
  open();
  const auto client = principal(make_key("acme"));
  hub::Submission submission{
      client, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/job", hub::final_events, ""}};
  const auto job = submit(submission);
  ASSERT_TRUE(job);
  submission.job = hub::JobId::random();
  ASSERT_TRUE(submit(submission));
  const hub::Job plain = submit(client);
  for (const auto& id : {job->id, submission.job, plain.id}) ASSERT_TRUE(report(client, id, JobStatus::failed));

  const auto backlog = reader_->backlog();
  ASSERT_EQ(backlog.size(), 1U) << "one endpoint stands for the URL, however many jobs name it";
  EXPECT_EQ(due(backlog[0].endpoint).size(), 2U);
  const auto endpoint = reader_->find_endpoint(backlog[0].endpoint);
  EXPECT_TRUE(endpoint->for_jobs);
  EXPECT_TRUE(secret_of(endpoint->id).starts_with("whsec_"));
  EXPECT_TRUE(endpoints_of(client.key).empty()) << "it is not listed";
}

TEST_F(StoreTest, AHookThatWasDisabledIsEnabledByTheNextSubmissionThatNamesIt) {
  open();
  const auto client = principal(make_key("acme"));
  hub::Submission submission{
      client, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/job", hub::final_events, ""}};
  ASSERT_TRUE(submit(submission));
  ASSERT_TRUE(report(client, submission.job, JobStatus::failed));
  const auto first = reader_->backlog().at(0).endpoint;
  hub::Attempt gone;
  gone.delivery = due(first).at(0).id;
  gone.endpoint = first;
  gone.next_state = hub::DeliveryState::failed;
  gone.disable_reason = "The endpoint answered 410 Gone.";
  ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->record({gone}, home_, then); }));

  submission.job = hub::JobId::random();
  ASSERT_TRUE(submit(submission));
  ASSERT_TRUE(report(client, submission.job, JobStatus::failed));
  ASSERT_EQ(reader_->backlog().size(), 1U);
  EXPECT_EQ(reader_->backlog()[0].endpoint, first) << "a URL that is given up again and again stands once";
  EXPECT_EQ(reader_->find_endpoint(first)->disabled_reason, "");
}

TEST_F(StoreTest, AnEndpointComesBackWithAllItsWays) {
  open();
  const auto client = principal(make_key("acme"));
  auto wanted = new_endpoint(client, "https://a.example/hook", all_events);
  wanted.description = "for the shop";
  wanted.headers = {{"X-Shop", "1: a, b"}, {"X-Empty", ""}};
  wanted.signing = hub::Signing::ed25519;
  wanted.public_key = "whpk_x";
  wanted.ordered = true;
  wanted.max_per_second = 7;
  wanted.legacy_signature = "X-Signature";
  const auto made = make_endpoint(wanted);
  const auto check = [&](const hub::Endpoint& endpoint) {
    EXPECT_EQ(endpoint.url, wanted.url);
    EXPECT_EQ(endpoint.description, wanted.description);
    EXPECT_EQ(endpoint.events, wanted.events);
    EXPECT_EQ(endpoint.headers, wanted.headers);
    EXPECT_EQ(endpoint.signing, wanted.signing);
    EXPECT_EQ(endpoint.public_key, wanted.public_key);
    EXPECT_EQ(endpoint.ordered, wanted.ordered);
    EXPECT_EQ(endpoint.max_per_second, wanted.max_per_second);
    EXPECT_EQ(endpoint.legacy_signature, wanted.legacy_signature);
    EXPECT_EQ(endpoint.owner.account, client.account);
    EXPECT_FALSE(endpoint.for_jobs);
  };
  check(made);
  check(*reader_->find_endpoint(made.id));

  hub::EndpointChange change_all;
  change_all.by = client;
  change_all.endpoint = made.id;
  change_all.url = wanted.url = "https://b.example/hook";
  change_all.description = wanted.description = "";
  change_all.events = wanted.events = hub::final_events;
  change_all.headers = wanted.headers = {};
  change_all.ordered = wanted.ordered = false;
  change_all.max_per_second = wanted.max_per_second = 0;
  change_all.legacy_signature = wanted.legacy_signature = "";
  const auto changed = change(change_all);
  ASSERT_TRUE(changed);
  check(*changed);
  check(*reader_->find_endpoint(made.id));
  EXPECT_EQ(home_.batches().back()->endpoints_changed, std::vector{made.id});
}

TEST_F(StoreTest, AKeyHasAtMostSoManyEndpoints) {
  options_.endpoints_per_key_max = 2;
  open();
  const auto client = principal(make_key("acme"));
  const auto first = make_endpoint(client, "https://a.example/1");
  make_endpoint(client, "https://a.example/2");
  ASSERT_TRUE(submit({client, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/job", {}, ""}}));
  const auto third = new_endpoint(client, "https://a.example/3");
  const auto refused = ask<hub::Endpoint>([&](auto then) { store_->create_endpoint(third, home_, then); });
  EXPECT_EQ(refused.refusal(), Refusal::limit_reached);
  make_endpoint(principal(make_key("acme")), "https://a.example/3");
  ASSERT_TRUE(remove(client, first.id));
  make_endpoint(third);
}

TEST_F(StoreTest, EndpointsAreListedPageByPage) {
  open();
  const auto client = principal(make_key("acme"));
  const auto other = principal(make_key("other"));
  std::vector<hub::EndpointId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(make_endpoint(client, "https://a.example/" + std::to_string(i)).id);
  std::sort(ids.begin(), ids.end());
  const auto theirs = make_endpoint(other, "https://a.example/1").id;
  ASSERT_TRUE(submit({client, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/job", {}, ""}}));

  hub::Reader::EndpointPage page{.owner = client.key, .for_jobs = false, .after = {}, .limit = 3};
  std::vector<hub::EndpointId> listed;
  for (int pages = 0; pages < 3; ++pages) {
    for (const auto& endpoint : reader_->endpoints(page)) listed.push_back(endpoint.id);
    page.after = listed.back();
  }
  EXPECT_EQ(listed, ids);
  const auto all = reader_->endpoints({.owner = {}, .for_jobs = false, .after = {}});
  EXPECT_EQ(all.size(), 6U);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [&](const auto& endpoint) { return endpoint.id == theirs; }));
  EXPECT_EQ(endpoints_of(client.key, true).size(), 1U);
  EXPECT_EQ(reader_->endpoints({.owner = {}, .for_jobs = true, .after = {}}).size(), 1U);
  EXPECT_TRUE(endpoints_of(other.key, true).empty());
}

TEST_F(StoreTest, OfAJobsOwnHookItsOwnerChangesTheStatusAlone) {
  open();
  const auto client = principal(make_key("acme"));
  const auto other = principal(make_key("other"));
  const hub::Submission submission{
      client, hub::JobId::random(), {}, {}, hub::JobHook{"https://a.example/job", all_events, ""}};
  ASSERT_TRUE(submit(submission));
  const auto hook = endpoints_of(client.key, true).at(0).id;
  hub::EndpointChange wanted;
  wanted.by = client;
  wanted.endpoint = hook;
  wanted.url = "https://b.example";
  EXPECT_EQ(change(wanted).refusal(), Refusal::bad_transition);
  wanted.by = other;
  EXPECT_EQ(change(wanted).refusal(), Refusal::not_found);
  EXPECT_EQ(set_status(other, hook, hub::EndpointStatus::disabled).refusal(), Refusal::not_found);

  ASSERT_TRUE(set_status(client, hook, hub::EndpointStatus::disabled));
  EXPECT_TRUE(due(hook).empty());
  ASSERT_TRUE(report(client, submission.job, JobStatus::failed));
  EXPECT_EQ(
      reader_->deliveries({.endpoint = hook, .state = hub::DeliveryState::failed, .before = {}}).deliveries.size(), 2U)
      << "what it would have been owed can be sent again";
  ASSERT_TRUE(set_status(client, hook, hub::EndpointStatus::enabled));
  ASSERT_TRUE(remove(client, hook));
  EXPECT_FALSE(reader_->find_endpoint(hook));
}

}  // namespace
}  // namespace carillon::storage::sqlite
