// The reports of one POST /jobs/updates: read one by one as the body is taken apart, and answered one by one, in their
// order, when the store has said what became of them.
//
//   {"updates":[{"job_id","status"[,"result"][,"error"][,"progress"]},…]}
//   {"results":[{"job_id","status":200,"seq"} | {"job_id","status":4xx,"error","message"[,"errors"]},…]}
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "hub/intake.h"
#include "hub/json.h"
#include "hub/store.h"

namespace carillon::app {

class UpdateList final : public hub::json::ElementSink {
 public:
  /// Takes `updates_max` and counts the rest. `intake` and `by` outlive the reading.
  UpdateList(const hub::Intake& intake, const hub::Principal& by, std::size_t updates_max)
      : intake_(intake), by_(by), updates_max_(updates_max) {}

  void take(const hub::json::Value& element, const hub::json::Object& members) override;

  /// All that there were, also those that were not taken.
  std::size_t count() const { return count_; }

  /// Those that the store is to judge. Once.
  std::vector<hub::Report> take_reports() { return std::move(reports_); }

  /// `outcomes` are of what take_reports() has given, in its order.
  std::string answer(const hub::ReportOutcomes& outcomes) const;

 private:
  /// One element: refused already, with its answer, or a report on that job.
  struct Item {
    hub::JobId job;
    std::size_t refused = 0;  ///< 1 and up: the place of its answer in refused_
  };

  const hub::Intake& intake_;
  const hub::Principal& by_;
  const std::size_t updates_max_;
  std::size_t count_ = 0;
  std::vector<Item> items_;
  std::vector<std::string> refused_;
  std::vector<hub::Report> reports_;
};

}  // namespace carillon::app
