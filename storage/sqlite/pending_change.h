// A change that waits for its commit, and afterwards carries the answer home.
//
//   queued ── apply ──▶ outcome known ── commit ──▶ answered
//               ▲            │
//               └─ rollback ─┘
//
// Threads: made by the asker, applied by the committer, run by the asker; never two at once.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hub/store.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class Writer;

class PendingChange : public hub::Reply {
 public:
  /// `weight`: how many changes it is by itself.
  explicit PendingChange(hub::CommitListener& home, std::size_t weight = 1) : home_(home), weight_(weight) {}

  /// Writes the change, or finds why not. A change that breaks a rule is refused before it has written anything, so it
  /// fails alone. Applied anew when the transaction was rolled back. Throws SqliteError.
  virtual void apply(Writer& writer, WriteContext& context) = 0;
  /// Answers with this instead.
  virtual void refuse(hub::Refusal refusal, const std::string& detail) = 0;

  hub::CommitListener& home() const { return home_; }
  std::size_t weight() const { return weight_; }

 private:
  hub::CommitListener& home_;
  std::size_t weight_;
};

/// What is queued travels as replies do, and is nothing else than changes.
inline PendingChange& as_change(const std::unique_ptr<hub::Reply>& reply) {
  return static_cast<PendingChange&>(*reply);
}

/// `Apply` is `hub::Outcome<T>(Writer&, WriteContext&)` and may be called more than once.
template <typename T, typename Apply>
class PendingChangeOf final : public PendingChange {
 public:
  PendingChangeOf(hub::CommitListener& home, std::size_t weight, Apply apply, hub::Then<T> then)
      : PendingChange(home, weight), apply_(std::move(apply)), then_(std::move(then)) {}

  void apply(Writer& writer, WriteContext& context) override { outcome_.emplace(apply_(writer, context)); }
  void refuse(hub::Refusal refusal, const std::string& detail) override {
    outcome_.emplace(hub::Outcome<T>(refusal, detail));
  }
  void run() noexcept override { then_(std::move(*outcome_)); }

 private:
  Apply apply_;
  hub::Then<T> then_;
  std::optional<hub::Outcome<T>> outcome_;
};

}  // namespace carillon::storage::sqlite
