// A real store that can be told to fail where a dispatcher meets it: in reading, and in taking outcomes.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hub/store.h"

namespace carillon::channels::webhook {

class BreakableStore final : public hub::Store {
 public:
  explicit BreakableStore(hub::Store& store) : store_(store) {}

  std::atomic<bool> backlog_fails{false};
  std::atomic<int> records_refused{0};        ///< so many are still to be refused as overloaded
  std::atomic<int> records{0};                ///< so many were handed over
  std::atomic<std::size_t> recorded{0};       ///< outcomes in those that were not refused
  std::function<void()> after_record;         ///< has been answered; on the dispatcher's thread
  std::function<void()> before_first_record;  ///< that is not refused; on the dispatcher's thread

  std::unique_ptr<hub::Reader> open_reader() override {
    return std::make_unique<BreakableReader>(store_.open_reader(), backlog_fails);
  }
  Beginning add(hub::CommitListener& listener) override { return store_.add(listener); }
  void remove(hub::CommitListener& listener) override { store_.remove(listener); }
  std::uint64_t newest_commit() const override { return store_.newest_commit(); }
  void hand_over(hub::CommitListener& home) override { store_.hand_over(home); }

  void record(std::vector<hub::Attempt> attempts, hub::CommitListener& home, hub::Then<hub::Done> then) override {
    ++records;
    if (records_refused > 0) {
      --records_refused;
      hub::Replies replies;
      replies.push_back(std::make_unique<Overloaded>(std::move(then)));
      return home.on_commit(nullptr, std::move(replies));
    }
    if (recorded == 0 && before_first_record) before_first_record();
    recorded += attempts.size();
    store_.record(std::move(attempts), home, [this, then = std::move(then)](const hub::Outcome<hub::Done>& outcome) {
      then(outcome);
      if (after_record) after_record();
    });
  }

  void submit(hub::Submission submission, hub::CommitListener& home, hub::Then<hub::Job> then) override {
    store_.submit(std::move(submission), home, std::move(then));
  }
  void report(hub::Report report, hub::CommitListener& home, hub::Then<hub::Job> then) override {
    store_.report(std::move(report), home, std::move(then));
  }
  void submit_once(hub::Submission submission, hub::IdempotencyKey key, hub::CommitListener& home,
                   hub::Then<hub::Submitted> then) override {
    store_.submit_once(std::move(submission), std::move(key), home, std::move(then));
  }
  void report_all(std::vector<hub::Report> reports, hub::CommitListener& home,
                  hub::Then<hub::ReportOutcomes> then) override {
    store_.report_all(std::move(reports), home, std::move(then));
  }
  void erase_job(hub::Principal by, hub::JobId job, hub::CommitListener& home, hub::Then<hub::Done> then) override {
    store_.erase_job(by, job, home, std::move(then));
  }
  void note_key_uses(std::vector<hub::KeyUse> uses, hub::CommitListener& home, hub::Then<hub::Done> then) override {
    store_.note_key_uses(std::move(uses), home, std::move(then));
  }
  void create_account(std::string name, hub::CommitListener& home, hub::Then<hub::Account> then) override {
    store_.create_account(std::move(name), home, std::move(then));
  }
  void set_account_status(std::string name, hub::AccountStatus status, hub::CommitListener& home,
                          hub::Then<hub::Account> then) override {
    store_.set_account_status(std::move(name), status, home, std::move(then));
  }
  void create_key(hub::NewKey key, hub::CommitListener& home, hub::Then<hub::Key> then) override {
    store_.create_key(std::move(key), home, std::move(then));
  }
  void set_key_status(hub::KeyId key, hub::KeyStatus status, hub::CommitListener& home,
                      hub::Then<hub::Key> then) override {
    store_.set_key_status(key, status, home, std::move(then));
  }
  void rotate_key(hub::KeyId key, hub::KeyHash hash, hub::UnixMs previous_until, hub::CommitListener& home,
                  hub::Then<hub::Key> then) override {
    store_.rotate_key(key, hash, previous_until, home, std::move(then));
  }
  void revoke_key(hub::KeyId key, hub::CommitListener& home, hub::Then<hub::Done> then) override {
    store_.revoke_key(key, home, std::move(then));
  }
  void create_endpoint(hub::NewEndpoint endpoint, hub::CommitListener& home, hub::Then<hub::Endpoint> then) override {
    store_.create_endpoint(std::move(endpoint), home, std::move(then));
  }
  void change_endpoint(hub::EndpointChange change, hub::CommitListener& home, hub::Then<hub::Endpoint> then) override {
    store_.change_endpoint(std::move(change), home, std::move(then));
  }
  void delete_endpoint(hub::Principal by, hub::EndpointId endpoint, hub::CommitListener& home,
                       hub::Then<hub::Done> then) override {
    store_.delete_endpoint(by, endpoint, home, std::move(then));
  }
  void rotate_secret(hub::SecretRotation rotation, hub::CommitListener& home, hub::Then<hub::Endpoint> then) override {
    store_.rotate_secret(std::move(rotation), home, std::move(then));
  }
  void default_secret(hub::AccountId account, hub::CommitListener& home, hub::Then<std::string> then) override {
    store_.default_secret(account, home, std::move(then));
  }
  void rotate_default_secret(hub::AccountId account, std::string secret, hub::UnixMs previous_until,
                             hub::CommitListener& home, hub::Then<std::string> then) override {
    store_.rotate_default_secret(account, std::move(secret), previous_until, home, std::move(then));
  }
  void test_endpoint(hub::Principal by, hub::EndpointId endpoint, hub::CommitListener& home,
                     hub::Then<hub::DeliveryReport> then) override {
    store_.test_endpoint(by, endpoint, home, std::move(then));
  }
  void redeliver(hub::Principal by, hub::DeliveryId delivery, hub::CommitListener& home,
                 hub::Then<hub::DeliveryReport> then) override {
    store_.redeliver(by, delivery, home, std::move(then));
  }
  void replay(hub::ReplaySlice slice, hub::CommitListener& home, hub::Then<hub::ReplayProgress> then) override {
    store_.replay(slice, home, std::move(then));
  }
  bool writable() const override { return store_.writable(); }
  bool damaged() const override { return store_.damaged(); }
  std::size_t waiting() const override { return store_.waiting(); }
  const hub::StoreTallies& tallies() const override { return store_.tallies(); }

 private:
  struct Overloaded final : hub::Reply {
    explicit Overloaded(hub::Then<hub::Done> tell) : then(std::move(tell)) {}
    void run() noexcept override { then(hub::Refusal::overloaded); }
    hub::Then<hub::Done> then;
  };

  class BreakableReader final : public hub::Reader {
   public:
    BreakableReader(std::unique_ptr<hub::Reader> reader, const std::atomic<bool>& backlog_fails)
        : reader_(std::move(reader)), backlog_fails_(backlog_fails) {}

    std::optional<hub::Job> find_job(const hub::JobId& id) override { return reader_->find_job(id); }
    std::optional<JobSince> find_job_since(const hub::JobId& id, hub::Seq after,
                                           const hub::MissedLimit& limit) override {
      return reader_->find_job_since(id, after, limit);
    }
    OwnerSince events_since(const hub::JobOwner& owner, hub::Seq after, const hub::MissedLimit& limit) override {
      return reader_->events_since(owner, after, limit);
    }
    std::optional<JobHistory> history(const hub::JobId& id, std::optional<hub::Seq> upto, std::size_t limit) override {
      return reader_->history(id, upto, limit);
    }
    Feed feed(const FeedPage& page) override { return reader_->feed(page); }
    JobList jobs(const JobPage& page) override { return reader_->jobs(page); }
    std::vector<ListedJob> jobs(const hub::Sight& of, const std::vector<hub::JobId>& ids,
                                std::size_t result_bytes_max) override {
      return reader_->jobs(of, ids, result_bytes_max);
    }
    std::optional<hub::Key> find_key(const hub::KeyHash& hash) override { return reader_->find_key(hash); }
    std::optional<hub::Key> find_key(hub::KeyId id) override { return reader_->find_key(id); }
    std::vector<hub::Key> keys(const KeyPage& page) override { return reader_->keys(page); }
    std::optional<hub::Account> find_account(const std::string& name) override { return reader_->find_account(name); }
    std::vector<hub::Account> accounts(const AccountPage& page) override { return reader_->accounts(page); }
    std::optional<hub::Endpoint> find_endpoint(hub::EndpointId id) override { return reader_->find_endpoint(id); }
    std::vector<hub::Endpoint> endpoints(const EndpointPage& page) override { return reader_->endpoints(page); }
    std::vector<hub::WebhookSecret> secrets_of(const hub::Endpoint& endpoint) override {
      return reader_->secrets_of(endpoint);
    }
    DeliveryList deliveries(const DeliveryPage& page) override { return reader_->deliveries(page); }
    std::vector<hub::DeliveryReport> deliveries_of(hub::Seq event, std::size_t limit) override {
      return reader_->deliveries_of(event, limit);
    }
    std::optional<hub::DeliveryReport> find_delivery_report(hub::DeliveryId id) override {
      return reader_->find_delivery_report(id);
    }
    std::vector<hub::AttemptRecord> attempts_at(hub::DeliveryId id, std::size_t limit) override {
      return reader_->attempts_at(id, limit);
    }
    std::vector<Due> due(hub::EndpointId endpoint, hub::UnixMs due_by, std::size_t limit) override {
      return reader_->due(endpoint, due_by, limit);
    }
    std::optional<hub::Delivery> find_pending(hub::DeliveryId id) override { return reader_->find_pending(id); }
    std::vector<EndpointBacklog> backlog() override {
      if (backlog_fails_) throw hub::StoreError("the database cannot be read");
      return reader_->backlog();
    }
    std::optional<hub::UnixMs> next_due(hub::EndpointId endpoint, hub::UnixMs after) override {
      return reader_->next_due(endpoint, after);
    }
    hub::Seq last_seq() override { return reader_->last_seq(); }
    std::string epoch() override { return reader_->epoch(); }

   private:
    std::unique_ptr<hub::Reader> reader_;
    const std::atomic<bool>& backlog_fails_;
  };

  hub::Store& store_;
};

}  // namespace carillon::channels::webhook
