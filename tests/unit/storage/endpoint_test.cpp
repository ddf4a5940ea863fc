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

TEST_F(StoreTest, AHookThatWasDisabledIsMadeAnewByTheNextSubmissionThatNamesIt) {
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
  EXPECT_NE(reader_->backlog()[0].endpoint, first);
}

}  // namespace
}  // namespace carillon::storage::sqlite
