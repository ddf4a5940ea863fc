#include "tests/model/template.h"

#include <memory>

#include "hub/rules.h"
#include "hub/sha256.h"
#include "storage/sqlite/store.h"
#include "tests/model/disk.h"
#include "tests/model/running_hub.h"
#include "tests/unit/storage/store_fixture.h"

namespace carillon::model {

Template::Template(const std::filesystem::path& folder) : folder_(folder) {
  using storage::sqlite::TestListener;
  const hub::Rules rules(hub::Ownership(hub::OwnershipScope::key));
  const Time time;
  std::filesystem::create_directories(folder_);
  Disk::get();
  storage::sqlite::StoreOptions options;
  options.path = (folder_ / "carillon.db").string();
  const auto store = storage::sqlite::open_store(options, rules, time);
  TestListener home;
  store->add(home);
  for (const char* name : {"one", "other"}) {
    bool done = false;
    store->create_account(name, home, [&](const hub::Outcome<hub::Account>&) { done = true; });
    home.run_until([&] { return done; });
  }
  const auto make = [&](const char* name, const char* account, hub::Role role) {
    Caller caller{name, "sk_live_", role, callers_.size()};
    caller.key.append(32, name[0]).append(name);
    hub::NewKey wanted;
    wanted.account = account;
    wanted.role = role;
    wanted.hash = hub::sha256(caller.key);
    bool done = false;
    store->create_key(wanted, home, [&](const hub::Outcome<hub::Key>&) { done = true; });
    home.run_until([&] { return done; });
    callers_.push_back(std::move(caller));
  };
  make("anna", "one", hub::Role::client);
  make("bert", "one", hub::Role::client);
  make("carl", "other", hub::Role::client);
  make("worker", "one", hub::Role::worker);
  store->remove(home);
}

void Template::copy_to(const std::filesystem::path& folder) const {
  std::filesystem::remove_all(folder);
  std::filesystem::copy(folder_, folder, std::filesystem::copy_options::recursive);
}

}  // namespace carillon::model
