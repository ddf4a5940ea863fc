// Webhook secrets in the database: sealed with the key beside it, in generations, and found again.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* first = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
constexpr const char* second = "whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
constexpr const char* third = "whsec_CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC";
constexpr const char* signing_key = "whsk_DDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDDD=";

class SecretsTest : public StoreTest {
 protected:
  std::string key_file() const { return (folder_ / "webhook-secrets.key").string(); }

  static std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Whether the text is anywhere in the database's files.
  bool is_on_disk(const std::string& text) const {
    return bytes_of(path()).find(text) != std::string::npos ||
           bytes_of(path() + "-wal").find(text) != std::string::npos;
  }
  std::string failure_to_open() {
    try {
      open();
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  }

  hub::Endpoint make(const hub::Principal& by, const std::string& url, const hub::WebhookSecret& secret) {
    auto wanted = new_endpoint(by, url);
    wanted.secret = secret;
    wanted.signing = secret.signing_key.empty() ? hub::Signing::hmac : hub::Signing::ed25519;
    return make_endpoint(wanted);
  }
  hub::Outcome<hub::Endpoint> rotate(const hub::Principal& by, hub::EndpointId endpoint, const std::string& secret,
                                     hub::UnixMs previous_until) {
    const hub::SecretRotation rotation{by, endpoint, {secret, {}, {}}, "", previous_until};
    return ask<hub::Endpoint>([&](auto then) { store_->rotate_secret(rotation, home_, then); });
  }
  std::vector<std::string> secrets_of(hub::EndpointId endpoint) {
    std::vector<std::string> texts;
    for (const auto& secret : reader_->secrets_of(*reader_->find_endpoint(endpoint))) texts.push_back(secret.secret);
    return texts;
  }
  std::string default_secret(hub::AccountId account) {
    return *ask<std::string>([&](auto then) { store_->default_secret(account, home_, then); });
  }
  hub::EndpointId submit_with_hook(const hub::Principal& by, const std::string& url, const std::string& secret) {
    const hub::Submission submission{by, hub::JobId::random(), {}, {}, hub::JobHook{url, hub::final_events, secret}};
    EXPECT_TRUE(submit(submission));
    EXPECT_TRUE(report(by, submission.job, hub::JobStatus::failed));
    return home_.batches().back()->deliveries.back().endpoint;  // behind the registered ones
  }
};

TEST_F(SecretsTest, WhatIsKeptEncryptedIsNowhereInTheFilesAndComesBack) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make(client, "https://a.example/1", {first, signing_key, {}});
  const auto hook = submit_with_hook(client, "https://a.example/2", second);
  const std::string account = default_secret(client.account);
  EXPECT_FALSE(is_on_disk(first) || is_on_disk(second) || is_on_disk(signing_key) || is_on_disk(account));
  close();
  EXPECT_FALSE(is_on_disk(first) || is_on_disk(second) || is_on_disk(signing_key) || is_on_disk(account));
  open();
  const auto secrets = reader_->secrets_of(endpoint);
  ASSERT_EQ(secrets.size(), 1U);
  EXPECT_EQ(secrets[0].secret, first);
  EXPECT_EQ(secrets[0].signing_key, signing_key);
  EXPECT_EQ(secrets[0].valid_until, std::nullopt);
  EXPECT_EQ(secrets_of(hook), std::vector<std::string>{second});
  EXPECT_EQ(default_secret(client.account), account);
}

TEST_F(SecretsTest, WithoutItsKeyFileTheStartIsRefusedAndSaysWhatToDo) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make(client, "https://a.example/1", {first, "", {}});
  close();
  std::filesystem::rename(key_file(), key_file() + ".aside");
  for (const auto form : {SecretsAtRest::encrypted, SecretsAtRest::plain}) {
    options_.secrets = form;
    EXPECT_THAT(failure_to_open(), HasSubstr("missing: restore " + key_file()));
    EXPECT_FALSE(std::filesystem::exists(key_file())) << "no new key takes its place";
  }
  options_.secrets = SecretsAtRest::encrypted;
  SecretBox::with_new_key_in(key_file());
  EXPECT_THAT(failure_to_open(), HasSubstr("another key than the one in " + key_file()));
  std::ofstream(key_file()) << "";
  EXPECT_THAT(failure_to_open(), HasSubstr(key_file()));

  std::filesystem::rename(key_file() + ".aside", key_file());
  open();
  EXPECT_EQ(secrets_of(endpoint.id), std::vector<std::string>{first});
}

TEST_F(SecretsTest, WhereNothingIsEncryptedANewKeyMayTakeThePlaceOfALostOne) {
  open();
  close();
  std::filesystem::remove(key_file());
  open();
  const auto client = principal(make_key("acme"));
  make(client, "https://a.example/1", {first, "", {}});
  close();
  EXPECT_EQ(failure_to_open(), "");
}

TEST_F(SecretsTest, TheKeyFileIsWhereItIsAskedFor) {
  options_.secret_key_file = (folder_ / "elsewhere.key").string();
  open();
  EXPECT_TRUE(std::filesystem::exists(options_.secret_key_file));
  EXPECT_FALSE(std::filesystem::exists(key_file()));
  close();
  options_.secret_key_file = (folder_ / "no" / "such" / "folder.key").string();
  EXPECT_THAT(failure_to_open(), HasSubstr(options_.secret_key_file));
}

TEST_F(SecretsTest, EachFormIsBroughtIntoTheOtherWithNothingLeftBehind) {
  options_.secrets = SecretsAtRest::plain;
  open();
  EXPECT_FALSE(std::filesystem::exists(key_file()));
  const auto client = principal(make_key("acme"));
  std::vector<hub::EndpointId> many;  // more than a page of them
  for (int i = 0; i < 200; ++i) {
    many.push_back(make(client, "https://a.example/" + std::to_string(i), {first, signing_key, {}}).id);
  }
  const auto hook = submit_with_hook(client, "https://a.example/job", second);
  const std::string account = default_secret(client.account);
  // Some are gone already, and what they left is gone with the rest.
  for (int i = 0; i < 200; i += 3) ASSERT_TRUE(remove(client, many[static_cast<std::size_t>(i)]));
  EXPECT_TRUE(is_on_disk(first) && is_on_disk(second) && is_on_disk(account));

  options_.secrets = SecretsAtRest::encrypted;
  open();
  EXPECT_FALSE(is_on_disk(first) || is_on_disk(second) || is_on_disk(signing_key) || is_on_disk(account));
  EXPECT_EQ(count("SELECT count(*) FROM webhook_secrets WHERE sealed = 0"), 0);
  EXPECT_EQ(reader_->secrets_of(*reader_->find_endpoint(many[1])).at(0).signing_key, signing_key);
  EXPECT_EQ(secrets_of(many[199]), std::vector<std::string>{first});
  EXPECT_EQ(default_secret(client.account), account);
  EXPECT_EQ(submit_with_hook(client, "https://a.example/job", second), hook) << "found by its mark";

  options_.secrets = SecretsAtRest::plain;
  open();
  EXPECT_EQ(count("SELECT count(*) FROM webhook_secrets WHERE sealed = 1"), 0);
  EXPECT_EQ(secrets_of(many[1]), std::vector<std::string>{first});
  EXPECT_EQ(submit_with_hook(client, "https://a.example/job", second), hook);
  close();
  std::filesystem::remove(key_file());
  EXPECT_EQ(failure_to_open(), "") << "what is plain needs no key";
}

TEST_F(SecretsTest, ASealedSecretMovedToAnotherEndpointDoesNotOpen) {
  open();
  const auto client = principal(make_key("acme"));
  const auto one = make(client, "https://a.example/1", {first, "", {}});
  const auto two = make(client, "https://a.example/2", {second, "", {}});
  Connection(path(), Access::write)
      .run("UPDATE webhook_secrets SET secret = (SELECT secret FROM webhook_secrets WHERE endpoint = " +
           std::to_string(one.id.value) + ") WHERE endpoint = " + std::to_string(two.id.value));
  EXPECT_EQ(secrets_of(one.id), std::vector<std::string>{first});
  EXPECT_THROW(reader_->secrets_of(two), hub::StoreError);
  EXPECT_EQ(secrets_of(one.id), std::vector<std::string>{first}) << "and the reader reads on";
}

TEST_F(SecretsTest, ARotatedSecretSignsBesideTheNewOneUntilItsEnd) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make(client, "https://a.example/1", {first, "", {}});
  const hub::UnixMs until = clock_.now + 1'000;
  ASSERT_TRUE(rotate(client, endpoint.id, second, until));
  EXPECT_EQ(home_.batches().back()->endpoints_changed, std::vector{endpoint.id});
  EXPECT_EQ(secrets_of(endpoint.id), (std::vector<std::string>{second, first}));
  EXPECT_EQ(reader_->secrets_of(endpoint)[1].valid_until, until);
  ASSERT_TRUE(rotate(client, endpoint.id, third, until + 5'000));
  EXPECT_EQ(secrets_of(endpoint.id), (std::vector<std::string>{third, second, first}));
  EXPECT_EQ(reader_->secrets_of(endpoint)[2].valid_until, until) << "a later rotation does not lengthen it";
  clock_.now += 1'000;
  EXPECT_EQ(secrets_of(endpoint.id), (std::vector<std::string>{third, second}));
  ASSERT_TRUE(rotate(client, endpoint.id, first, clock_.now));
  EXPECT_EQ(secrets_of(endpoint.id), std::vector<std::string>{first}) << "at once";
  EXPECT_EQ(count("SELECT count(*) FROM webhook_secrets"), 1) << "what has ended is not kept";
}

TEST_F(SecretsTest, AtMostThreeFormerSecretsSign) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make(client, "https://a.example/1", {first, "", {}});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(rotate(client, endpoint.id, "whsec_" + std::to_string(i), clock_.now + 10'000));
  }
  EXPECT_EQ(secrets_of(endpoint.id), (std::vector<std::string>{"whsec_4", "whsec_3", "whsec_2", "whsec_1"}));
}

TEST_F(SecretsTest, OfAnotherOrOfAHookNothingIsRotated) {
  open();
  const auto client = principal(make_key("acme"));
  const auto endpoint = make(client, "https://a.example/1", {first, "", {}});
  EXPECT_EQ(rotate(principal(make_key("other")), endpoint.id, second, 0).refusal(), hub::Refusal::not_found);
  const auto hook = submit_with_hook(client, "https://a.example/job", second);
  EXPECT_EQ(rotate(client, hook, third, 0).refusal(), hub::Refusal::bad_transition);
  EXPECT_EQ(secrets_of(hook), std::vector<std::string>{second});
}

TEST_F(SecretsTest, AHookWithoutASecretSignsWithItsAccountsWhateverThatIs) {
  open();
  const auto client = principal(make_key("acme"));
  const auto other = principal(make_key("other"));
  const auto hook = submit_with_hook(client, "https://a.example/job", "");
  const std::string secret = default_secret(client.account);
  EXPECT_EQ(secrets_of(hook), std::vector<std::string>{secret});
  EXPECT_NE(default_secret(other.account), secret);
  EXPECT_NE(submit_with_hook(client, "https://a.example/job", first), hook) << "another secret, another endpoint";

  const auto rotated = ask<std::string>(
      [&](auto then) { store_->rotate_default_secret(client.account, second, clock_.now + 1'000, home_, then); });
  EXPECT_EQ(*rotated, second);
  EXPECT_TRUE(home_.batches().back()->default_secrets_changed);
  EXPECT_EQ(secrets_of(hook), (std::vector<std::string>{second, secret}));
  EXPECT_EQ(default_secret(client.account), second);
  EXPECT_EQ(submit_with_hook(client, "https://a.example/job", ""), hook) << "the same endpoint still";
  clock_.now += 1'000;
  EXPECT_EQ(secrets_of(hook), std::vector<std::string>{second});
}

TEST_F(SecretsTest, AnAccountThatIsNotThereHasNoSecret) {
  open();
  EXPECT_EQ(ask<std::string>([&](auto then) { store_->default_secret({7}, home_, then); }).refusal(),
            hub::Refusal::not_found);
  EXPECT_EQ(ask<std::string>([&](auto then) { store_->rotate_default_secret({7}, second, 0, home_, then); }).refusal(),
            hub::Refusal::not_found);
}

TEST_F(SecretsTest, ADefaultSecretThatIsDamagedRefusesWhoAsksForItAndNobodyElse) {
  open();
  const auto client = principal(make_key("acme"));
  default_secret(client.account);
  Connection(path(), Access::write).run("UPDATE webhook_secrets SET secret = zeroblob(80)");
  const auto asked = ask<std::string>([&](auto then) { store_->default_secret(client.account, home_, then); });
  EXPECT_EQ(asked.refusal(), hub::Refusal::unavailable);
  submit_with_hook(client, "https://a.example/job", "");
  EXPECT_TRUE(store_->writable());
}

}  // namespace
}  // namespace carillon::storage::sqlite
