// A store in a temporary folder, and a listener whose replies run on the test's own thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hub/rules.h"
#include "hub/store.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/store.h"

namespace carillon::storage::sqlite {

class TestClock final : public hub::Clock {
 public:
  hub::UnixMs now_ms() const override { return now.load(); }
  std::atomic<hub::UnixMs> now{1'700'000'000'000};
};

class TestListener final : public hub::CommitListener {
 public:
  /// While it gathers, what is handed over waits for Store::hand_over(), and goes into one commit.
  bool gathering = false;
  bool gathers() noexcept override { return gathering; }

  void on_commit(const hub::CommitBatchPtr& batch, hub::Replies replies) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      if (batch) batches_.push_back(batch);
      for (auto& reply : replies) replies_.push_back(std::move(reply));
    }
    arrived_.notify_all();
  }

  /// Runs the replies that have come until `done` says so.
  template <typename Done>
  void run_until(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      hub::Replies now;
      {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait_until(lock, deadline, [this] { return !replies_.empty(); })) {
          FAIL() << "no answer from the store";
        }
        now.swap(replies_);
      }
      for (auto& reply : now) reply->run();
    }
  }

  /// The batches that have come, once there are `count`; fewer when the patience ends.
  std::vector<hub::CommitBatchPtr> await_batches(std::size_t count) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::seconds(20), [&] { return batches_.size() >= count; });
    return batches_;
  }

  std::vector<hub::CommitBatchPtr> batches() {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<hub::CommitBatchPtr> batches_;
  hub::Replies replies_;
};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-store-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~StoreTest() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::string path() const { return (folder_ / "carillon.db").string(); }

  void open(hub::OwnershipScope scope = hub::OwnershipScope::key) {
    store_.reset();
    rules_.emplace(hub::Ownership(scope));
    options_.path = path();
    store_ = open_store(options_, *rules_, clock_);
    store_->add(home_);
    reader_ = store_->open_reader();
  }

  void close() {
    reader_.reset();
    store_.reset();
  }

  /// Calls `ask(then)` and waits for the answer.
  template <typename T, typename Ask>
  hub::Outcome<T> ask(Ask ask) {
    std::optional<hub::Outcome<T>> answer;
    ask(hub::Then<T>([&](hub::Outcome<T> outcome) { answer.emplace(std::move(outcome)); }));
    home_.run_until([&] { return answer.has_value(); });
    return answer ? std::move(*answer) : hub::Outcome<T>(hub::Refusal::unavailable, "no answer");
  }

  hub::Key make_key(const std::string& account, hub::Role role = hub::Role::client) {
    ask<hub::Account>([&](auto then) { store_->create_account(account, home_, then); });  // or it is there already
    hub::NewKey wanted;
    wanted.account = account;
    wanted.role = role;
    hub::random_bytes(wanted.hash.data(), wanted.hash.size());
    return *ask<hub::Key>([&](auto then) { store_->create_key(wanted, home_, then); });
  }

  static hub::Principal principal(const hub::Key& key) { return {key.id, key.account, key.role}; }

  hub::Outcome<hub::Job> submit(const hub::Submission& submission) {
    return ask<hub::Job>([&](auto then) { store_->submit(submission, home_, then); });
  }
  hub::Job submit(const hub::Principal& by) { return *submit(hub::Submission{by, hub::JobId::random(), {}, {}, {}}); }

  hub::Outcome<hub::Job> report(const hub::Report& report) {
    return ask<hub::Job>([&](auto then) { store_->report(report, home_, then); });
  }
  hub::Outcome<hub::Job> report(const hub::Principal& by, const hub::JobId& job, hub::JobStatus status) {
    return this->report(hub::Report{by, job, status, {}, {}, {}});
  }

  hub::Endpoint make_endpoint(const hub::Principal& by, const std::string& url,
                              hub::EventKinds events = hub::final_events) {
    return make_endpoint(new_endpoint(by, url, events));
  }
  hub::Endpoint make_endpoint(const hub::NewEndpoint& wanted) {
    return *ask<hub::Endpoint>([&](auto then) { store_->create_endpoint(wanted, home_, then); });
  }
  static hub::NewEndpoint new_endpoint(const hub::Principal& by, const std::string& url,
                                       hub::EventKinds events = hub::final_events) {
    hub::NewEndpoint wanted;
    wanted.by = by;
    wanted.url = url;
    wanted.events = events;
    wanted.secret.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    return wanted;
  }
  hub::Outcome<hub::Endpoint> change(const hub::EndpointChange& change) {
    return ask<hub::Endpoint>([&](auto then) { store_->change_endpoint(change, home_, then); });
  }
  hub::Outcome<hub::Endpoint> set_status(const hub::Principal& by, hub::EndpointId endpoint,
                                         hub::EndpointStatus status) {
    hub::EndpointChange wanted;
    wanted.by = by;
    wanted.endpoint = endpoint;
    wanted.status = status;
    return change(wanted);
  }
  hub::Outcome<hub::Done> remove(const hub::Principal& by, hub::EndpointId endpoint) {
    return ask<hub::Done>([&](auto then) { store_->delete_endpoint(by, endpoint, home_, then); });
  }

  /// What is due for an endpoint now, whole.
  std::vector<hub::Delivery> due(hub::EndpointId endpoint, std::size_t limit = 1'000) {
    std::vector<hub::Delivery> all;
    for (const auto& due : reader_->due(endpoint, clock_.now_ms(), limit)) {
      auto delivery = reader_->find_pending(due.delivery);
      if (delivery) all.push_back(std::move(*delivery));
    }
    return all;
  }
  std::vector<hub::Endpoint> endpoints_of(hub::KeyId owner, bool for_jobs = false) {
    return reader_->endpoints({.owner = owner, .for_jobs = for_jobs, .after = {}});
  }
  std::string secret_of(hub::EndpointId endpoint) {
    return reader_->secrets_of(*reader_->find_endpoint(endpoint)).at(0).secret;
  }

  /// A number out of the database itself.
  std::int64_t count(const std::string& sql) const {
    Connection connection(path(), Access::read);
    Statement query(connection.handle(), sql);
    return query.step() ? query.integer(0) : -1;
  }

  /// What the committer does by itself, awaited.
  template <typename Done>
  void await(Done done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it did not come to pass";
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  /// An attempt at a delivery, as it would end with this state.
  hub::Attempt attempt_at(hub::EndpointId endpoint, hub::DeliveryId delivery,
                          hub::DeliveryState next = hub::DeliveryState::delivered) const {
    hub::Attempt attempt;
    attempt.endpoint = endpoint;
    attempt.delivery = delivery;
    attempt.started_at = clock_.now_ms();
    attempt.http_status = next == hub::DeliveryState::delivered ? 204 : 503;
    attempt.next_state = next;
    return attempt;
  }
  void record(const hub::Attempt& attempt) {
    ASSERT_TRUE(ask<hub::Done>([&](auto then) { store_->record({attempt}, home_, then); }));
  }

  /// Many deliveries of event 1, as of now, written while the store is closed: each with one attempt where they ended.
  void add_deliveries(hub::EndpointId endpoint, int how_many, hub::DeliveryState state = hub::DeliveryState::pending) {
    Connection connection(path(), Access::write);
    const std::string now = std::to_string(clock_.now_ms());
    const std::string attempts = state == hub::DeliveryState::pending ? "0" : "1";
    connection.run("BEGIN");
    connection.run("CREATE TEMP TABLE before AS SELECT coalesce(max(id), 0) AS id FROM deliveries");
    connection.run("WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < " +
                   std::to_string(how_many) +
                   ") INSERT INTO deliveries (endpoint, event, message, state, attempts, due_at, created_at) SELECT " +
                   std::to_string(endpoint.value) + ", 1, zeroblob(16), " + std::to_string(static_cast<int>(state)) +
                   ", " + attempts + ", " + now + ", " + now + " FROM c");
    if (state != hub::DeliveryState::pending) {
      connection.run(
          "INSERT INTO attempts (delivery, number, started_at, duration_ms, http_status, error, response) "
          "SELECT id, 1, " +
          now + ", 1, 500, '', '' FROM deliveries WHERE id > (SELECT id FROM before)");
    }
    connection.run("COMMIT");
  }

  std::uint64_t pending() const { return store_->tallies().deliveries_pending.read(); }

  std::filesystem::path folder_;
  TestClock clock_;
  std::optional<hub::Rules> rules_;
  StoreOptions options_;
  TestListener home_;
  std::unique_ptr<hub::Store> store_;
  std::unique_ptr<hub::Reader> reader_;
};

}  // namespace carillon::storage::sqlite
