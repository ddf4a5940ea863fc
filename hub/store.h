// The store, in the hub's words: hand over a change and be told when it is durable; read what is committed.
//
// A change that was answered as accepted is on disk, together with its event and the deliveries it owes; a change
// that was refused, or whose answer never came because the process died, is there wholly or not at all.
//
// Behind this interface one store may gather many changes into one commit, or share one database among several hubs.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hub/event.h"
#include "hub/job.h"
#include "hub/ownership.h"
#include "hub/principal.h"
#include "hub/store_tallies.h"
#include "hub/webhook.h"

namespace carillon::hub {

/// Why a change was refused. Nothing of it was applied.
enum class Refusal : std::uint8_t {
  not_found,          ///< no such thing, or not the caller's to see
  already_exists,     ///< the id, the name, or the endpoint's URL is taken
  bad_transition,     ///< the status may not follow the one the job has
  not_running,        ///< progress for a job that does not run
  not_final,          ///< only a job that has ended can be erased
  key_reused,         ///< an idempotency key that another submission came with
  endpoint_disabled,  ///< nothing is sent to it until it is enabled
  limit_reached,      ///< there are as many as may be
  unknown_owner,      ///< a submission for a key that does not exist or is no client key
  overloaded,         ///< the queue of changes is full; nothing was queued
  unavailable,        ///< the store cannot write now; it goes on by itself when it can
};

/// A value, or the refusal that stands in its place.
template <typename T>
class Outcome {
 public:
  Outcome(T value) : state_(std::move(value)) {}  // NOLINT: converts on purpose
  Outcome(Refusal refusal, std::string detail = {}) : state_(Refused{refusal, std::move(detail)}) {}  // NOLINT

  explicit operator bool() const { return state_.index() == 0; }
  const T& operator*() const { return std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  T& operator*() { return std::get<0>(state_); }
  Refusal refusal() const { return std::get<1>(state_).reason; }
  /// What a person should read beside the reason; may be empty.
  const std::string& detail() const { return std::get<1>(state_).detail; }

 private:
  struct Refused {
    Refusal reason;
    std::string detail;
  };
  std::variant<T, Refused> state_;
};

/// What has no more to say than that it happened.
struct Done {};

// --- changes ---------------------------------------------------------------------------------------------------------

/// The `webhook_url` of a submission: the store finds or makes the endpoint that stands for it.
struct JobHook {
  std::string url;
  EventKinds events = final_events;
  std::string secret;  ///< empty: the account's default secret
};

struct Submission {
  Principal by;
  JobId job;
  /// Whose the job is to be; none: the caller's. Only a worker may name another, and only a client key.
  std::optional<KeyId> owner;
  Text metadata;
  std::optional<JobHook> hook;
  Text trace = {};  ///< for its event
};

/// What a submission is known by when it is sent again: the caller's own name for it, and what it said.
struct IdempotencyKey {
  std::string text;
  Sha256 body{};  ///< of the request
};

/// A report, already checked for what can be checked without the job: see Intake.
struct Report {
  Principal by;
  JobId job;
  /// None: progress alone, for a job that runs.
  std::optional<JobStatus> status;
  Text result;
  Text error;
  Text progress;
  Text trace = {};  ///< for its event
};

/// When a key was last let in, to within some time.
struct KeyUse {
  KeyId key;
  UnixMs at = 0;
};

struct NewKey {
  std::string account;  ///< by name
  Role role = Role::client;
  std::string name;
  KeyHash hash{};
  std::optional<UnixMs> expires_at;
};

struct NewEndpoint {
  Principal by;
  std::string url;
  std::string description;
  EventKinds events = final_events;
  std::vector<HeaderField> headers;
  Signing signing = Signing::hmac;
  bool ordered = false;
  int max_per_second = 0;
  std::string legacy_signature;
  WebhookSecret secret;    ///< with a signing key where `signing` takes one
  std::string public_key;  ///< of that signing key
};

/// What a PATCH of an endpoint sets; the rest stays.
struct EndpointChange {
  Principal by;
  EndpointId endpoint;
  std::optional<std::string> url;
  std::optional<std::string> description;
  std::optional<EventKinds> events;
  std::optional<std::vector<HeaderField>> headers;
  /// Refused as `limit_reached` while more is pending than can be put in order in one commit.
  std::optional<bool> ordered;
  std::optional<int> max_per_second;
  std::optional<std::string> legacy_signature;
  /// Enabling clears the reason and the record of failures; disabling ends what is pending as failed.
  std::optional<EndpointStatus> status;
};

/// A new secret for an endpoint; the ones before sign beside it until `previous_until`, or until an earlier rotation
/// ends them. Of those at most three are kept: the oldest ends early.
struct SecretRotation {
  Principal by;
  EndpointId endpoint;
  WebhookSecret secret;    ///< with a signing key where the endpoint signs with one
  std::string public_key;  ///< of that signing key
  UnixMs previous_until = 0;
};

/// A part of a replay, so that a long one never holds up other changes: deliveries with ids above `after`, lowest
/// first, of which the store looks at a bounded number.
struct ReplaySlice {
  Principal by;
  EndpointId endpoint;
  UnixMs since = 0;            ///< of deliveries written from then
  UnixMs until = 0;            ///< and before then
  bool delivered_too = false;  ///< also what has arrived, not only what has failed
  DeliveryId after;
};
struct ReplayProgress {
  std::size_t sent_again = 0;       ///< in this part; what is pending already is left as it is
  std::optional<DeliveryId> after;  ///< where the next part begins; none: all is done
};

// --- what a commit tells ---------------------------------------------------------------------------------------------

/// A delivery that was written or became due again in a commit.
struct DeliveryNotice {
  DeliveryId delivery;
  EndpointId endpoint;
  MessageId message{};
  UnixMs due_at = 0;
  /// The event when it is in the same batch, so that it need not be read back; null otherwise.
  EventPtr event;
};

/// What one commit brought, in order. `after` is the `last` of the batch before: no batch is skipped.
struct CommitBatch {
  std::uint64_t number = 0;  ///< one more than that of the batch told before it; counted anew when the store is opened
  Seq after = 0;
  Seq last = 0;
  std::chrono::steady_clock::time_point durable_at{};  ///< when it was on disk
  std::vector<EventPtr> events;
  std::vector<DeliveryNotice> deliveries;
  std::vector<EndpointId> endpoints_changed;  ///< registered, changed or deleted
  std::vector<EndpointId> endpoints_due;      ///< of which deliveries became due that are not named one by one
  std::vector<JobId> jobs_erased;             ///< what they held is not to be told any more
  bool default_secrets_changed = false;       ///< an account's, which its submissions' webhooks are signed with
  bool identity_changed = false;              ///< a key or account was made, changed or taken away
  bool jobs_gone = false;                     ///< jobs that were old are no longer kept

  /// Whether there is anything to tell.
  bool has_news() const {
    return !events.empty() || !deliveries.empty() || !endpoints_changed.empty() || !endpoints_due.empty() ||
           !jobs_erased.empty() || default_secrets_changed || identity_changed || jobs_gone;
  }
};
using CommitBatchPtr = std::shared_ptr<const CommitBatch>;

/// An answered change, waiting to tell its asker.
class Reply {
 public:
  virtual ~Reply() = default;
  /// Calls what was passed along with the change. To be run once, on the asker's own thread.
  virtual void run() noexcept = 0;
};
using Replies = std::vector<std::unique_ptr<Reply>>;

/// One thread's ear at the store. It is told of each commit once, with the replies to its own changes in the same
/// call, so that a thread is woken once for a commit.
class CommitListener {
 public:
  virtual ~CommitListener() = default;
  /// Called on the store's thread, commit by commit in order; for a change that was refused because the queue is full,
  /// on the thread that handed it over. Must not block: hand over and return. `batch` is null where there are only
  /// replies to pass on.
  virtual void on_commit(const CommitBatchPtr& batch, Replies replies) noexcept = 0;

  /// Asked on the thread that hands a change over. True when that is the listener's own thread and it will call
  /// Store::hand_over() before it next waits: its changes wait until then, and one turn of a loop queues all it has
  /// brought in one go, for one commit.
  virtual bool gathers() noexcept { return false; }

 private:
  friend class Store;
  Replies gathered_;  ///< handed over, to be queued by Store::hand_over()
};

/// A job that was submitted under an idempotency key.
struct Submitted {
  Job job;
  bool replayed = false;  ///< by an earlier submission under the same key: as it was then
};

/// What became of each report of many, in their order: the job's last event, or why it was refused.
using ReportOutcomes = std::vector<Outcome<Seq>>;

/// Called with the outcome, on the listener's thread, exactly once, unless the store is destroyed first.
template <typename T>
using Then = std::function<void(Outcome<T>)>;

// --- reading ---------------------------------------------------------------------------------------------------------

/// Events that were missed, oldest first.
struct Missed {
  /// False when the store cannot tell all that was missed: some of it is no longer kept, it is more than was asked for,
  /// or it is to follow a number that has not been given yet. `events` is empty then.
  bool complete = false;
  std::vector<EventPtr> events;
};

/// How much of what was missed is worth telling. Reading stops there, so this bounds its time and its memory.
struct MissedLimit {
  std::size_t events = 1'000;            ///< told, of one job or of one owner
  std::size_t bytes = 16 * 1024 * 1024;  ///< of progress, results and errors; a job's own result is not counted
};

/// A read session. One thread at a time; each thread opens its own. Sees every change whose commit has been told.
/// Throws StoreError when the database cannot be read.
class Reader {
 public:
  virtual ~Reader() = default;

  virtual std::optional<Job> find_job(const JobId& id) = 0;

  struct JobSince {
    Job job;
    Missed missed;
  };
  /// The job as it stands and its events later than `after`, both as of one moment: the last of them, if there is one,
  /// brought the job to where it stands. As it was told: an event is equal to the one of its commit.
  virtual std::optional<JobSince> find_job_since(const JobId& id, Seq after, const MissedLimit& limit) = 0;

  struct OwnerSince {
    Seq last = 0;  ///< the last event of all at that moment
    Missed missed;
  };
  /// The events later than `after` of all jobs that belong to the key; those of jobs that were erased keep their place,
  /// without result, error and progress.
  virtual OwnerSince events_since(const JobOwner& owner, Seq after, const MissedLimit& limit) = 0;

  struct JobHistory {
    Job job;
    std::vector<EventPtr> events;  ///< in order
    Seq earlier = 0;               ///< the job's event before the first of these; 0 when there is none that is kept
  };
  /// The last `limit` of the job's events, up to `upto` where it is given: an event of the job's.
  virtual std::optional<JobHistory> history(const JobId& id, std::optional<Seq> upto, std::size_t limit) = 0;

  struct FeedPage {
    Sight of;
    Seq after = 0;
    std::size_t events_max = 100;
    /// Of progress, results and errors; with the event that passes it the page is full.
    std::size_t bytes_max = 4 * 1024 * 1024;
  };
  struct Feed {
    Seq begins = 0;                ///< what is not later than this is no longer kept
    Seq last = 0;                  ///< the last event of all at that moment
    Seq through = 0;               ///< all there are later than `after` up to here are among `events`
    std::vector<EventPtr> events;  ///< in order
  };
  /// What is later than `after`, from the first on; nothing where that is before `begins` or behind `last`. Reading
  /// takes a bounded time, however many events of others lie between: `through` says how far it came.
  virtual Feed feed(const FeedPage& page) = 0;

  struct ListedJob {
    Job job;
    bool result_left_out = false;  ///< there is one, and the list has no room for it
  };
  struct JobPage {
    Sight of;
    std::optional<JobStatus> status;
    std::optional<JobPlace> before;  ///< those submitted earlier than this one
    std::size_t limit = 50;
    std::size_t looked_at_max = 10'000;  ///< jobs, whatever their status
    std::size_t result_bytes_max =
        4 * 1024 * 1024;  ///< with the result that passes it there is no more room for others
  };
  struct JobList {
    std::vector<ListedJob> jobs;
    std::optional<JobPlace> next;  ///< where the list goes on; none: this was all
  };
  /// The newest first. Where a list goes on it may have fewer than `limit`, or none.
  virtual JobList jobs(const JobPage& page) = 0;
  /// Those of them that there are within the sight, in the order asked for. The others leave no trace.
  virtual std::vector<ListedJob> jobs(const Sight& of, const std::vector<JobId>& ids, std::size_t result_bytes_max) = 0;

  /// The key whose present or still valid previous secret has this hash.
  virtual std::optional<Key> find_key(const KeyHash& hash) = 0;
  virtual std::optional<Key> find_key(KeyId id) = 0;
  struct KeyPage {
    std::optional<std::string> account;  ///< only those of the account of this name
    std::optional<Role> role;
    std::optional<std::string> name;
    std::optional<KeyId> after;  ///< those that follow this one
    std::size_t limit = 100;
  };
  /// In the order in which they were made.
  virtual std::vector<Key> keys(const KeyPage& page) = 0;

  virtual std::optional<Account> find_account(const std::string& name) = 0;
  struct AccountPage {
    std::optional<AccountStatus> status;
    std::optional<std::string> name;
    std::optional<AccountId> after;  ///< those that follow this one
    std::size_t limit = 100;
  };
  /// In the order in which they were made.
  virtual std::vector<Account> accounts(const AccountPage& page) = 0;

  virtual std::optional<Endpoint> find_endpoint(EndpointId id) = 0;
  struct EndpointPage {
    std::optional<KeyId> owner;  ///< none: of all
    bool for_jobs = false;       ///< those that stand for a webhook_url, instead of those registered
    EndpointId after;            ///< the ids above it
    std::size_t limit = 100;
  };
  /// By their ids.
  virtual std::vector<Endpoint> endpoints(const EndpointPage& page) = 0;
  /// What the endpoint signs with now, the present one first; never empty for one that exists.
  virtual std::vector<WebhookSecret> secrets_of(const Endpoint& endpoint) = 0;

  struct DeliveryPage {
    EndpointId endpoint;
    std::optional<DeliveryState> state;
    std::optional<DeliveryId> before;  ///< the ids below it
    std::size_t limit = 100;
    std::size_t looked_at_max = 10'000;  ///< deliveries, whatever their state
  };
  struct DeliveryList {
    std::vector<DeliveryReport> deliveries;
    std::optional<DeliveryId> next;  ///< the list goes on before it; none: this was all
  };
  /// The newest first. Where the list goes on it may have fewer than `limit`, or none.
  virtual DeliveryList deliveries(const DeliveryPage& page) = 0;
  /// Of one event, to whatever endpoints, in the order they were written.
  virtual std::vector<DeliveryReport> deliveries_of(Seq event, std::size_t limit) = 0;
  virtual std::optional<DeliveryReport> find_delivery_report(DeliveryId id) = 0;
  /// Those that were made at a delivery, the first first, and of many the last `limit`.
  virtual std::vector<AttemptRecord> attempts_at(DeliveryId id, std::size_t limit) = 0;

  struct Due {
    DeliveryId delivery;
    UnixMs due_at = 0;
  };
  /// Pending deliveries of an endpoint that are due by `due_by`, the longest due first, at most `limit`. Those of an
  /// ordered endpoint are all due, and come in the order of their events.
  virtual std::vector<Due> due(EndpointId endpoint, UnixMs due_by, std::size_t limit) = 0;
  /// None when it is not pending any more.
  virtual std::optional<Delivery> find_pending(DeliveryId id) = 0;
  struct EndpointBacklog {
    EndpointId endpoint;
    UnixMs next_due_at = 0;
  };
  /// Every endpoint that something is to be sent to, with its earliest due time; of a disabled one only tests are.
  virtual std::vector<EndpointBacklog> backlog() = 0;
  /// The earliest due time later than `after` of what is pending for the endpoint.
  virtual std::optional<UnixMs> next_due(EndpointId endpoint, UnixMs after) = 0;

  virtual Seq last_seq() = 0;

  /// The identity of this history of events: another one after a restore from a backup, where numbers that were seen
  /// before may come again with other events.
  virtual std::string epoch() = 0;
};

/// The database could not be read or opened; `what()` names the file and the reason.
class StoreError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Threads: every method from any thread. Destroying the store commits what is queued, then forgets its listeners.
class Store {
 public:
  virtual ~Store() = default;

  virtual std::unique_ptr<Reader> open_reader() = 0;

  /// Where a listener begins: behind these of the batch before.
  struct Beginning {
    std::uint64_t number = 0;
    Seq last = 0;
  };
  /// From the next commit on the listener is told of each. It must outlive the store, or be removed first; once
  /// `remove` has returned it is not called any more.
  virtual Beginning add(CommitListener& listener) = 0;
  virtual void remove(CommitListener& listener) = 0;

  /// The number of the last batch that anyone can have been told of, or can have read: it rises before a commit is
  /// made. So whoever has been told of the batch of this number knows all there is to know, and need not read it again.
  virtual std::uint64_t newest_commit() const = 0;

  /// Queues what a listener that gathers() has handed over. On the listener's own thread.
  virtual void hand_over(CommitListener& home) = 0;

  // Each change is queued and answered through `home`, which must have been added, when it is durable or refused.
  // Where the queue is full the answer is `overloaded`, by the same way.
  virtual void submit(Submission submission, CommitListener& home, Then<Job> then) = 0;
  /// The same under a key: whoever submits again with the same key and body within the time keys are kept is given the
  /// job that came of the first, as it was then (without its metadata where it has been erased since); with another
  /// body he is refused as `key_reused`. A submission that was refused leaves the key free. Keys are the caller's own.
  virtual void submit_once(Submission submission, IdempotencyKey key, CommitListener& home, Then<Submitted> then) = 0;
  virtual void report(Report report, CommitListener& home, Then<Job> then) = 0;
  /// Many at once, in their order, in one commit; one that breaks a rule fails alone.
  virtual void report_all(std::vector<Report> reports, CommitListener& home, Then<ReportOutcomes> then) = 0;
  /// Erases a final job with its result, error, progress and metadata. Its events keep their place; its id is not given
  /// again.
  virtual void erase_job(Principal by, JobId job, CommitListener& home, Then<Done> then) = 0;
  virtual void record(std::vector<Attempt> attempts, CommitListener& home, Then<Done> then) = 0;

  virtual void create_account(std::string name, CommitListener& home, Then<Account> then) = 0;
  virtual void set_account_status(std::string name, AccountStatus status, CommitListener& home, Then<Account> then) = 0;
  virtual void create_key(NewKey key, CommitListener& home, Then<Key> then) = 0;
  virtual void set_key_status(KeyId key, KeyStatus status, CommitListener& home, Then<Key> then) = 0;
  /// The old secret is taken until `previous_until`.
  virtual void rotate_key(KeyId key, KeyHash hash, UnixMs previous_until, CommitListener& home, Then<Key> then) = 0;
  /// Ends a key for good. Its jobs stay.
  virtual void revoke_key(KeyId key, CommitListener& home, Then<Done> then) = 0;

  /// Of each key, the last there is; those of keys that are gone are passed over.
  virtual void note_key_uses(std::vector<KeyUse> uses, CommitListener& home, Then<Done> then) = 0;

  virtual void create_endpoint(NewEndpoint endpoint, CommitListener& home, Then<Endpoint> then) = 0;
  virtual void change_endpoint(EndpointChange change, CommitListener& home, Then<Endpoint> then) = 0;
  /// Its deliveries and attempts go with it: at once for all who read, and in their turn from the disk.
  virtual void delete_endpoint(Principal by, EndpointId endpoint, CommitListener& home, Then<Done> then) = 0;
  virtual void rotate_secret(SecretRotation rotation, CommitListener& home, Then<Endpoint> then) = 0;

  /// The secret that the `webhook_url` of an account's submissions are signed with, made when it is first asked for.
  virtual void default_secret(AccountId account, CommitListener& home, Then<std::string> then) = 0;
  /// A new one, as `secret`; the ones before sign beside it until `previous_until`.
  virtual void rotate_default_secret(AccountId account, std::string secret, UnixMs previous_until, CommitListener& home,
                                     Then<std::string> then) = 0;

  /// A delivery of `webhook.test`, due now and ahead of all others, also where the endpoint is disabled.
  virtual void test_endpoint(Principal by, EndpointId endpoint, CommitListener& home, Then<DeliveryReport> then) = 0;
  /// Due now, with all tries ahead of it, whatever became of it before.
  virtual void redeliver(Principal by, DeliveryId delivery, CommitListener& home, Then<DeliveryReport> then) = 0;
  virtual void replay(ReplaySlice slice, CommitListener& home, Then<ReplayProgress> then) = 0;

  /// False while commits fail; true again once one has succeeded.
  virtual bool writable() const = 0;
  /// Whether the store has come upon damage to what it holds. Then it takes nothing any more, for that would be lost
  /// with it, and tells what it can still read; until it is opened anew.
  virtual bool damaged() const = 0;

  /// Changes that wait for their commit, those of the commit under way included.
  virtual std::size_t waiting() const = 0;
  virtual const StoreTallies& tallies() const = 0;

 protected:
  static Replies& gathered_by(CommitListener& home) { return home.gathered_; }
};

}  // namespace carillon::hub
