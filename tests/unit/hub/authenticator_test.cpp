#include "hub/authenticator.h"

#include <gtest/gtest.h>

#include <map>

namespace carillon::hub {
namespace {

/// A reader that knows keys, and counts how often it is asked.
class KeyReader final : public Reader {
 public:
  std::map<KeyHash, Key> by_hash;
  int asked = 0;

  std::optional<Key> find_key(const KeyHash& hash) override {
    ++asked;
    const auto found = by_hash.find(hash);
    return found == by_hash.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<Job> find_job(const JobId&) override { return std::nullopt; }
  std::optional<JobSince> find_job_since(const JobId&, Seq, const MissedLimit&) override { return std::nullopt; }
  OwnerSince events_since(const JobOwner&, Seq, const MissedLimit&) override { return {}; }
  std::optional<JobHistory> history(const JobId&, std::optional<Seq>, std::size_t) override { return std::nullopt; }
  Feed feed(const FeedPage&) override { return {}; }
  JobList jobs(const JobPage&) override { return {}; }
  std::vector<ListedJob> jobs(const Sight&, const std::vector<JobId>&, std::size_t) override { return {}; }
  std::optional<Key> find_key(KeyId) override { return std::nullopt; }
  std::vector<Key> keys(const KeyPage&) override { return {}; }
  std::optional<Account> find_account(const std::string&) override { return std::nullopt; }
  std::vector<Account> accounts(const AccountPage&) override { return {}; }
  std::optional<Endpoint> find_endpoint(EndpointId) override { return std::nullopt; }
  std::vector<Endpoint> endpoints(const EndpointPage&) override { return {}; }
  std::vector<WebhookSecret> secrets_of(const Endpoint&) override { return {}; }
  DeliveryList deliveries(const DeliveryPage&) override { return {}; }
  std::vector<DeliveryReport> deliveries_of(Seq, std::size_t) override { return {}; }
  std::optional<DeliveryReport> find_delivery_report(DeliveryId) override { return std::nullopt; }
  std::vector<AttemptRecord> attempts_at(DeliveryId, std::size_t) override { return {}; }
  std::vector<Due> due(EndpointId, UnixMs, std::size_t) override { return {}; }
  std::optional<Delivery> find_pending(DeliveryId) override { return std::nullopt; }
  std::vector<EndpointBacklog> backlog() override { return {}; }
  std::optional<UnixMs> next_due(EndpointId, UnixMs) override { return std::nullopt; }
  Seq last_seq() override { return 0; }
  std::string epoch() override { return {}; }
};

struct MovedClock final : Clock {
  UnixMs now = 1'000'000;
  UnixMs now_ms() const override { return now; }
};

class AuthenticatorTest : public testing::Test {
 protected:
  AuthRefusal refusal(std::string_view key) { return std::get<AuthRefusal>(authenticator_.authenticate(key)); }
  bool accepted(std::string_view key) { return std::holds_alternative<Principal>(authenticator_.authenticate(key)); }
  Key& stored() { return reader_.by_hash[hash_key(text_)]; }

  void SetUp() override {
    Key key;
    key.id = {7};
    key.account = {8};
    key.role = Role::worker;
    reader_.by_hash[hash_key(text_)] = key;
  }

  std::string text_ = make_key();
  KeyReader reader_;
  MovedClock clock_;
  Authenticator authenticator_{reader_, clock_, 2};
};

TEST_F(AuthenticatorTest, KnowsAKey) {
  const auto principal = std::get<Principal>(authenticator_.authenticate(text_));
  EXPECT_EQ(principal.key, KeyId{7});
  EXPECT_EQ(principal.account, AccountId{8});
  EXPECT_EQ(principal.role, Role::worker);
}

TEST_F(AuthenticatorTest, RefusesTheRest) {
  EXPECT_EQ(refusal(""), AuthRefusal::missing);
  EXPECT_EQ(refusal("hello"), AuthRefusal::invalid);
  EXPECT_EQ(refusal(make_key()), AuthRefusal::invalid);
  EXPECT_EQ(refusal(text_ + "x"), AuthRefusal::invalid);
  EXPECT_EQ(refusal("sk_live_" + std::string(100'000, 'a')), AuthRefusal::invalid);
}

TEST_F(AuthenticatorTest, ReadsTheStoreOnceUntilItIsToldToForget) {
  EXPECT_TRUE(accepted(text_));
  EXPECT_TRUE(accepted(text_));
  EXPECT_EQ(reader_.asked, 1);
  stored().status = KeyStatus::disabled;
  const auto generation = authenticator_.generation();
  authenticator_.forget();
  EXPECT_NE(authenticator_.generation(), generation);
  EXPECT_EQ(refusal(text_), AuthRefusal::disabled);
}

TEST_F(AuthenticatorTest, GuessesDoNotPushAGoodKeyOutOfTheCache) {
  EXPECT_TRUE(accepted(text_));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(refusal(make_key()), AuthRefusal::invalid);
  const int asked = reader_.asked;
  EXPECT_TRUE(accepted(text_));
  EXPECT_EQ(reader_.asked, asked);
}

TEST_F(AuthenticatorTest, SuspendedAccountsAndExpiredKeysAreRefusedWithTheirReason) {
  stored().account_status = AccountStatus::suspended;
  EXPECT_EQ(refusal(text_), AuthRefusal::suspended);
  authenticator_.forget();
  stored().account_status = AccountStatus::active;
  stored().expires_at = clock_.now + 10;
  EXPECT_EQ(std::get<Principal>(authenticator_.authenticate(text_)).valid_until, clock_.now + 10);
  clock_.now += 10;
  EXPECT_EQ(refusal(text_), AuthRefusal::expired) << "also from the cache";
}

TEST_F(AuthenticatorTest, ARotatedSecretHoldsUntilItsEnd) {
  stored().previous_until = clock_.now + 10;
  EXPECT_TRUE(accepted(text_));
  clock_.now += 10;
  EXPECT_EQ(refusal(text_), AuthRefusal::invalid);
}

TEST_F(AuthenticatorTest, AConnectionThatStaysIsJudgedByTheSecretItCameWith) {
  const KeyHash hash = std::get<Principal>(authenticator_.authenticate(text_)).secret;
  EXPECT_EQ(hash, hash_key(text_));
  EXPECT_EQ(std::get<Principal>(authenticator_.authenticate(text_)).secret, hash) << "also from the cache";
  stored().previous_until = clock_.now + 10;  // it was rotated
  authenticator_.forget();
  const auto rechecked = std::get<Principal>(authenticator_.recheck(hash));
  EXPECT_EQ(rechecked.valid_until, clock_.now + 10);
  EXPECT_EQ(rechecked.secret, hash);
  clock_.now += 10;
  EXPECT_EQ(std::get<AuthRefusal>(authenticator_.recheck(hash)), AuthRefusal::invalid);
}

TEST_F(AuthenticatorTest, NotesUsesNowAndThen) {
  EXPECT_TRUE(authenticator_.take_uses().empty());
  EXPECT_TRUE(accepted(text_));
  EXPECT_EQ(refusal(make_key()), AuthRefusal::invalid);
  const auto uses = authenticator_.take_uses();
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].key, KeyId{7});
  EXPECT_EQ(uses[0].at, clock_.now);
  clock_.now += 59'999;
  EXPECT_TRUE(accepted(text_));
  EXPECT_TRUE(authenticator_.take_uses().empty()) << "within the minute";
  clock_.now += 1;
  EXPECT_TRUE(accepted(text_));
  EXPECT_EQ(authenticator_.take_uses().at(0).at, clock_.now);
}

TEST_F(AuthenticatorTest, WhoKeepsAPrincipalNotesItsUsesByItself) {
  UnixMs noted_at = clock_.now;
  authenticator_.note_use(KeyId{7}, noted_at, clock_.now_ms());
  EXPECT_TRUE(authenticator_.take_uses().empty());
  clock_.now += 60'000;
  authenticator_.note_use(KeyId{7}, noted_at, clock_.now_ms());
  EXPECT_EQ(noted_at, clock_.now);
  const auto uses = authenticator_.take_uses();
  ASSERT_EQ(uses.size(), 1U);
  authenticator_.give_back(uses);
  EXPECT_EQ(authenticator_.take_uses().size(), 1U) << "what could not be kept";
}

TEST_F(AuthenticatorTest, WhoIsRefusedDoesNotUseAKey) {
  stored().status = KeyStatus::disabled;
  EXPECT_EQ(refusal(text_), AuthRefusal::disabled);
  EXPECT_TRUE(authenticator_.take_uses().empty());
}

TEST(MakeKey, HasThePrefixAndForty) {
  const std::string key = make_key();
  EXPECT_EQ(key.size(), 48U);
  EXPECT_TRUE(key.starts_with("sk_live_"));
  EXPECT_NE(key, make_key());
}

TEST(HashKey, IsSha256) {
  // FIPS 180-4, the example of "abc".
  const KeyHash hash = hash_key("abc");
  EXPECT_EQ(hash[0], 0xBA);
  EXPECT_EQ(hash[1], 0x78);
  EXPECT_EQ(hash[31], 0xAD);
}

}  // namespace
}  // namespace carillon::hub
