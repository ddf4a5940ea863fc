// What it costs to know a caller by the key that was presented: one known from before, one that has to be looked up in
// the store, and one that is nobody's.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "hub/authenticator.h"
#include "hub/rules.h"
#include "storage/sqlite/store.h"

namespace {

using namespace carillon;

constexpr int keys = 1'000;

/// A store with a thousand keys.
class Keys final : public hub::CommitListener {
 public:
  Keys() {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-bench-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    storage::sqlite::StoreOptions options;
    options.path = (folder_ / "carillon.db").string();
    store_ = storage::sqlite::open_store(options, rules_, clock_);
    store_->add(*this);
    wait<hub::Account>([&](auto then) { store_->create_account("bench", *this, then); });
    for (int n = 0; n < keys; ++n) {
      secrets.push_back(hub::make_key());
      hub::NewKey key;
      key.account = "bench";
      key.hash = hub::hash_key(secrets.back());
      wait<hub::Key>([&](auto then) { store_->create_key(key, *this, then); });
    }
    reader_ = store_->open_reader();
  }
  ~Keys() override {
    reader_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void on_commit(const hub::CommitBatchPtr&, hub::Replies replies) noexcept override {
    for (const auto& reply : replies) reply->run();
  }

  hub::Authenticator authenticator() { return hub::Authenticator(*reader_, clock_); }

  std::vector<std::string> secrets;

 private:
  template <typename T, typename Ask>
  static void wait(Ask ask) {
    std::promise<void> done;
    ask(hub::Then<T>([&](const hub::Outcome<T>&) { done.set_value(); }));
    done.get_future().wait();
  }

  std::filesystem::path folder_;
  hub::SystemClock clock_;
  hub::Rules rules_{hub::Ownership(hub::OwnershipScope::key)};
  std::unique_ptr<hub::Store> store_;
  std::unique_ptr<hub::Reader> reader_;
};

Keys& stored() {
  static Keys one;
  return one;
}

/// As most requests are, for a connection that sends the same key again does not even ask.
void authenticate_known(benchmark::State& state) {
  hub::Authenticator authenticator = stored().authenticator();
  std::size_t n = 0;
  for (const std::string& secret : stored().secrets) authenticator.authenticate(secret);
  for (auto _ : state) benchmark::DoNotOptimize(authenticator.authenticate(stored().secrets[n++ % keys]));
}
BENCHMARK(authenticate_known);

/// After a change of any key has made it forget.
void authenticate_from_the_store(benchmark::State& state) {
  hub::Authenticator authenticator = stored().authenticator();
  std::size_t n = 0;
  for (auto _ : state) {
    authenticator.forget();
    benchmark::DoNotOptimize(authenticator.authenticate(stored().secrets[n++ % keys]));
  }
}
BENCHMARK(authenticate_from_the_store);

void authenticate_nobody(benchmark::State& state) {
  hub::Authenticator authenticator = stored().authenticator();
  const std::string secret = hub::make_key();
  for (auto _ : state) benchmark::DoNotOptimize(authenticator.authenticate(secret));
}
BENCHMARK(authenticate_nobody);

}  // namespace
