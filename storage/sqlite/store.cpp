#include "storage/sqlite/store.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "storage/sqlite/announcer.h"
#include "storage/sqlite/committer.h"
#include "storage/sqlite/connection.h"
#include "storage/sqlite/damage.h"
#include "storage/sqlite/migrations.h"
#include "storage/sqlite/reader.h"
#include "storage/sqlite/secrets_at_rest.h"
#include "storage/sqlite/upgrade.h"
#include "storage/sqlite/writer.h"

namespace carillon::storage::sqlite {
namespace {

using hub::CommitListener;
using hub::Then;

/// A connection whose database is as this program needs it.
class MigratedConnection {
 public:
  MigratedConnection(const StoreOptions& options, const hub::Clock& clock) : connection_(options.path, Access::write) {
    try {
      const auto upgraded = upgrade(connection_, options.path, known_migrations(), clock, {});
      if (upgraded && upgraded->from > 0 && options.on_upgrade) options.on_upgrade(*upgraded);
      Statement(connection_.handle(), "INSERT OR IGNORE INTO meta (name, value) VALUES ('epoch', ?)")
          .bind(hub::random_base62(16))
          .run();
    } catch (const hub::StoreError& error) {
      throw hub::StoreError("cannot open the database " + options.path + ": " + error.what() + advice_on(error));
    }
  }

  Connection& operator*() { return connection_; }

 private:
  Connection connection_;
};

std::string key_file_of(const StoreOptions& options) {
  if (!options.secret_key_file.empty()) return options.secret_key_file;
  return (std::filesystem::path(options.path).parent_path() / "webhook-secrets.key").string();
}

class SqliteStore final : public hub::Store {
 public:
  SqliteStore(const StoreOptions& options, const hub::Rules& rules, const hub::Clock& clock)
      : path_(options.path),
        clock_(clock),
        connection_(options, clock),
        box_(settle_secrets(*connection_, options.secrets, key_file_of(options))),
        writer_(*connection_, rules, box_,
                {options.endpoints_per_key_max,
                 options.keep_deliveries_ms,
                 options.keep_idempotency_ms,
                 {options.keep_jobs_ms, options.keep_events_ms}}),
        committer_(writer_, announcer_, clock, {options.queue_max, options.batch_max}) {}

  std::unique_ptr<hub::Reader> open_reader() override { return sqlite::open_reader(path_, clock_, box_); }

  Beginning add(CommitListener& listener) override { return announcer_.add(listener); }
  void remove(CommitListener& listener) override { announcer_.remove(listener); }

  std::uint64_t newest_commit() const override { return committer_.newest_commit(); }

  void hand_over(CommitListener& home) override { committer_.queue(gathered_by(home)); }

  void submit(hub::Submission submission, CommitListener& home, Then<hub::Job> then) override {
    queue<hub::Job>(home, std::move(then), [submission = std::move(submission)](Writer& writer, WriteContext& context) {
      return writer.jobs.submit(context, submission);
    });
  }

  void report(hub::Report report, CommitListener& home, Then<hub::Job> then) override {
    queue<hub::Job>(home, std::move(then), [report = std::move(report)](Writer& writer, WriteContext& context) {
      return writer.jobs.report(context, report);
    });
  }

  void submit_once(hub::Submission submission, hub::IdempotencyKey key, CommitListener& home,
                   Then<hub::Submitted> then) override {
    queue<hub::Submitted>(
        home, std::move(then),
        [submission = std::move(submission), key = std::move(key)](Writer& writer, WriteContext& context) {
          return writer.jobs.submit_once(context, submission, key);
        });
  }

  void report_all(std::vector<hub::Report> reports, CommitListener& home, Then<hub::ReportOutcomes> then) override {
    const std::size_t weight = std::max<std::size_t>(1, reports.size());
    queue<hub::ReportOutcomes>(
        home, std::move(then),
        [reports = std::move(reports)](Writer& writer, WriteContext& context) {
          return writer.jobs.report_all(context, reports);
        },
        weight);
  }

  void erase_job(hub::Principal by, hub::JobId job, CommitListener& home, Then<hub::Done> then) override {
    queue<hub::Done>(
        home, std::move(then),
        [by, job](Writer& writer, WriteContext& context) { return writer.jobs.erase(context, by, job); },
        Erasures::rows_at_once);
  }

  void record(std::vector<hub::Attempt> attempts, CommitListener& home, Then<hub::Done> then) override {
    const std::size_t weight = std::max<std::size_t>(1, attempts.size());
    queue<hub::Done>(
        home, std::move(then),
        [attempts = std::move(attempts)](Writer& writer, WriteContext& context) {
          return writer.deliveries.record(context, attempts);
        },
        weight);
  }

  void create_account(std::string name, CommitListener& home, Then<hub::Account> then) override {
    queue<hub::Account>(home, std::move(then), [name = std::move(name)](Writer& writer, WriteContext& context) {
      return writer.identities.create_account(context, name);
    });
  }

  void set_account_status(std::string name, hub::AccountStatus status, CommitListener& home,
                          Then<hub::Account> then) override {
    queue<hub::Account>(home, std::move(then), [name = std::move(name), status](Writer& writer, WriteContext& context) {
      return writer.identities.set_account_status(context, name, status);
    });
  }

  void create_key(hub::NewKey key, CommitListener& home, Then<hub::Key> then) override {
    queue<hub::Key>(home, std::move(then), [key = std::move(key)](Writer& writer, WriteContext& context) {
      return writer.identities.create_key(context, key);
    });
  }

  void set_key_status(hub::KeyId key, hub::KeyStatus status, CommitListener& home, Then<hub::Key> then) override {
    queue<hub::Key>(home, std::move(then), [key, status](Writer& writer, WriteContext& context) {
      return writer.identities.set_key_status(context, key, status);
    });
  }

  void rotate_key(hub::KeyId key, hub::KeyHash hash, hub::UnixMs previous_until, CommitListener& home,
                  Then<hub::Key> then) override {
    queue<hub::Key>(home, std::move(then), [key, hash, previous_until](Writer& writer, WriteContext& context) {
      return writer.identities.rotate_key(context, key, hash, previous_until);
    });
  }

  void revoke_key(hub::KeyId key, CommitListener& home, Then<hub::Done> then) override {
    queue<hub::Done>(home, std::move(then), [key](Writer& writer, WriteContext& context) {
      return writer.identities.revoke_key(context, key);
    });
  }

  void note_key_uses(std::vector<hub::KeyUse> uses, CommitListener& home, Then<hub::Done> then) override {
    const std::size_t weight = std::max<std::size_t>(1, uses.size());
    queue<hub::Done>(
        home, std::move(then),
        [uses = std::move(uses)](Writer& writer, WriteContext& /*context*/) {
          return writer.identities.note_uses(uses);
        },
        weight);
  }

  void create_endpoint(hub::NewEndpoint endpoint, CommitListener& home, Then<hub::Endpoint> then) override {
    queue<hub::Endpoint>(home, std::move(then),
                         [endpoint = std::move(endpoint)](Writer& writer, WriteContext& context) {
                           return writer.endpoints.create(context, endpoint);
                         });
  }

  void change_endpoint(hub::EndpointChange change, CommitListener& home, Then<hub::Endpoint> then) override {
    queue<hub::Endpoint>(home, std::move(then), [change = std::move(change)](Writer& writer, WriteContext& context) {
      return writer.endpoints.change(context, change);
    });
  }

  void delete_endpoint(hub::Principal by, hub::EndpointId endpoint, CommitListener& home,
                       Then<hub::Done> then) override {
    queue<hub::Done>(home, std::move(then), [by, endpoint](Writer& writer, WriteContext& context) {
      return writer.endpoints.remove(context, by, endpoint);
    });
  }

  void rotate_secret(hub::SecretRotation rotation, CommitListener& home, Then<hub::Endpoint> then) override {
    queue<hub::Endpoint>(home, std::move(then),
                         [rotation = std::move(rotation)](Writer& writer, WriteContext& context) {
                           return writer.endpoints.rotate_secret(context, rotation);
                         });
  }

  void default_secret(hub::AccountId account, CommitListener& home, Then<std::string> then) override {
    queue<std::string>(home, std::move(then), [account](Writer& writer, WriteContext& context) {
      return writer.secrets.default_secret(context, account);
    });
  }

  void rotate_default_secret(hub::AccountId account, std::string secret, hub::UnixMs previous_until,
                             CommitListener& home, Then<std::string> then) override {
    queue<std::string>(home, std::move(then),
                       [account, secret = std::move(secret), previous_until](Writer& writer, WriteContext& context) {
                         return writer.secrets.rotate_default_secret(context, account, secret, previous_until);
                       });
  }

  void test_endpoint(hub::Principal by, hub::EndpointId endpoint, CommitListener& home,
                     Then<hub::DeliveryReport> then) override {
    queue<hub::DeliveryReport>(home, std::move(then), [by, endpoint](Writer& writer, WriteContext& context) {
      return writer.again.test(context, by, endpoint);
    });
  }

  void redeliver(hub::Principal by, hub::DeliveryId delivery, CommitListener& home,
                 Then<hub::DeliveryReport> then) override {
    queue<hub::DeliveryReport>(home, std::move(then), [by, delivery](Writer& writer, WriteContext& context) {
      return writer.again.redeliver(context, by, delivery);
    });
  }

  void replay(hub::ReplaySlice slice, CommitListener& home, Then<hub::ReplayProgress> then) override {
    queue<hub::ReplayProgress>(
        home, std::move(then),
        [slice](Writer& writer, WriteContext& context) { return writer.again.replay(context, slice); },
        SendingAgain::replay_rows_max);
  }

  bool writable() const override { return committer_.writable(); }
  bool damaged() const override { return committer_.damaged(); }
  std::size_t waiting() const override { return committer_.waiting(); }
  const hub::StoreTallies& tallies() const override { return committer_.tallies(); }

 private:
  template <typename T, typename Apply>
  void queue(CommitListener& home, Then<T> then, Apply apply, std::size_t weight = 1) {
    auto change = std::make_unique<PendingChangeOf<T, Apply>>(home, weight, std::move(apply), std::move(then));
    if (home.gathers()) {
      gathered_by(home).push_back(std::move(change));
    } else {
      hub::Replies alone;
      alone.push_back(std::move(change));
      committer_.queue(alone);
    }
  }

  const std::string path_;
  const hub::Clock& clock_;
  MigratedConnection connection_;
  const SecretBox box_;
  Writer writer_;
  Announcer announcer_;
  Committer committer_;  // last: its thread uses all of the above
};

}  // namespace

std::unique_ptr<hub::Store> open_store(const StoreOptions& options, const hub::Rules& rules, const hub::Clock& clock) {
  try {
    return std::make_unique<SqliteStore>(options, rules, clock);
  } catch (const hub::StoreError& error) {
    throw named_after(options.path, error);
  }
}

}  // namespace carillon::storage::sqlite
