#include "hub/authenticator.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::storage::sqlite {
namespace {

using hub::Refusal;

hub::KeyHash hash_of(std::string_view text) { return hub::hash_key(text); }

class IdentityTest : public StoreTest {
 protected:
  IdentityTest() {
    open();
    ask<hub::Account>([&](auto then) { store_->create_account("acme", home_, then); });
  }
  hub::Key make(std::string_view secret) {
    return *ask<hub::Key>([&](auto then) {
      store_->create_key({"acme", hub::Role::client, "laptop", hash_of(secret), {}}, home_, then);
    });
  }
};

TEST_F(IdentityTest, AKeyIsFoundByItsHash) {
  const hub::Key key = make("one");
  const auto found = reader_->find_key(hash_of("one"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, key.id);
  EXPECT_EQ(found->account_name, "acme");
  EXPECT_EQ(found->name, "laptop");
  EXPECT_FALSE(found->previous_until);
  EXPECT_FALSE(reader_->find_key(hash_of("two")));
}

TEST_F(IdentityTest, AfterARotationTheOldSecretIsTakenUntilItsEnd) {
  const hub::Key key = make("old");
  const hub::UnixMs until = clock_.now_ms() + 1'000;
  ASSERT_TRUE(ask<hub::Key>([&](auto then) { store_->rotate_key(key.id, hash_of("new"), until, home_, then); }));
  EXPECT_EQ(reader_->find_key(hash_of("new"))->id, key.id);
  const auto by_old = reader_->find_key(hash_of("old"));
  ASSERT_TRUE(by_old);
  EXPECT_EQ(by_old->id, key.id);
  EXPECT_EQ(by_old->previous_until, until);
  clock_.now += 1'000;
  EXPECT_FALSE(reader_->find_key(hash_of("old")));
  EXPECT_TRUE(reader_->find_key(hash_of("new")));
}

TEST_F(IdentityTest, ARevokedKeyIsGone) {
  const hub::Key key = make("one");
  ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->revoke_key(key.id, home_, then); }));
  EXPECT_FALSE(reader_->find_key(hash_of("one")));
  EXPECT_TRUE(reader_->keys({}).empty());
  EXPECT_FALSE(reader_->find_key(key.id));
  EXPECT_EQ(ask<hub::Done>([&](auto then) { store_->revoke_key(key.id, home_, then); }).refusal(), Refusal::not_found);
}

TEST_F(IdentityTest, StatusesAreKeptAndTold) {
  const hub::Key key = make("one");
  const std::size_t before = home_.batches().size();
  ASSERT_TRUE(ask<hub::Key>([&](auto then) { store_->set_key_status(key.id, hub::KeyStatus::disabled, home_, then); }));
  ASSERT_TRUE(ask<hub::Account>(
      [&](auto then) { store_->set_account_status("acme", hub::AccountStatus::suspended, home_, then); }));
  const auto found = reader_->find_key(hash_of("one"));
  EXPECT_EQ(found->status, hub::KeyStatus::disabled);
  EXPECT_EQ(found->account_status, hub::AccountStatus::suspended);
  const auto batches = home_.batches();
  ASSERT_EQ(batches.size(), before + 2);
  EXPECT_TRUE(batches[before]->identity_changed);
  EXPECT_TRUE(batches[before + 1]->identity_changed);
}

TEST_F(IdentityTest, WhenAKeyWasLastUsedIsKeptAndTellsNobodyToForget) {
  const hub::Key key = make("one");
  EXPECT_FALSE(reader_->find_key(key.id)->last_used_at);
  const std::size_t before = home_.batches().size();
  const auto note = [&](hub::UnixMs at) {
    const std::vector<hub::KeyUse> uses{{key.id, at}, {hub::KeyId{42}, at}};
    ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->note_key_uses(uses, home_, then); }));
  };
  note(1'000);
  note(3'000);
  note(2'000);  // of another loop, which was slower
  EXPECT_EQ(reader_->find_key(key.id)->last_used_at, 3'000);
  EXPECT_EQ(reader_->find_key(hash_of("one"))->last_used_at, 3'000);
  EXPECT_EQ(home_.batches().size(), before);
}

TEST_F(IdentityTest, KeysAreListedInPagesAndByWhatTheyAre) {
  std::vector<hub::KeyId> all;
  for (int i = 0; i < 7; ++i) {
    all.push_back(make("key " + std::to_string(i)).id);
    if (i % 3 == 0) clock_.now += 1;  // some are made in the same millisecond
  }
  std::vector<hub::KeyId> listed;
  hub::Reader::KeyPage page;
  page.limit = 3;
  for (auto found = reader_->keys(page); !found.empty(); found = reader_->keys(page)) {
    EXPECT_LE(found.size(), 3U);
    for (const hub::Key& key : found) listed.push_back(key.id);
    page.after = listed.back();
  }
  EXPECT_THAT(listed, ::testing::UnorderedElementsAreArray(all));

  const hub::Key worker = make_key("other", hub::Role::worker);
  page = {};
  page.account = "other";
  EXPECT_EQ(reader_->keys(page).size(), 1U);
  page.role = hub::Role::client;
  EXPECT_TRUE(reader_->keys(page).empty());
  page = {};
  page.role = hub::Role::worker;
  EXPECT_EQ(reader_->keys(page).at(0).id, worker.id);
  page = {};
  page.name = "laptop";
  EXPECT_EQ(reader_->keys(page).size(), 7U);
}

TEST_F(IdentityTest, AccountsAreListedInPagesAndByWhatTheyAre) {
  for (const char* name : {"a", "b", "c"}) {
    clock_.now += 1;
    ask<hub::Account>([&](auto then) { store_->create_account(name, home_, then); });
  }
  ask<hub::Account>([&](auto then) { store_->set_account_status("b", hub::AccountStatus::suspended, home_, then); });
  hub::Reader::AccountPage page;
  page.limit = 2;
  const auto first = reader_->accounts(page);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].name, "a");
  page.after = first[1].id;
  const auto second = reader_->accounts(page);
  ASSERT_EQ(second.size(), 2U);
  EXPECT_EQ(second[1].name, "c");
  page = {};
  page.status = hub::AccountStatus::suspended;
  EXPECT_EQ(reader_->accounts(page).at(0).name, "b");
  page = {};
  page.name = "c";
  EXPECT_EQ(reader_->accounts(page).size(), 1U);
  EXPECT_EQ(reader_->find_account("c")->id, second[1].id);
  EXPECT_FALSE(reader_->find_account("d"));
}

TEST_F(IdentityTest, UnknownAndTakenNamesAreRefused) {
  EXPECT_EQ(ask<hub::Account>([&](auto then) { store_->create_account("acme", home_, then); }).refusal(),
            Refusal::already_exists);
  EXPECT_EQ(ask<hub::Key>([&](auto then) {
              store_->create_key({"nobody", {}, {}, {}, {}}, home_, then);
            }).refusal(),
            Refusal::not_found);
  EXPECT_EQ(ask<hub::Account>([&](auto then) {
              store_->set_account_status("nobody", hub::AccountStatus::active, home_, then);
            }).refusal(),
            Refusal::not_found);
}

}  // namespace
}  // namespace carillon::storage::sqlite
