// What the hub says of a change or of a job, read out of its JSON.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "hub/json.h"
#include "tests/model/reference.h"

namespace carillon::model {

/// An object of the hub's. Throws Divergence where it is none.
class Told {
 public:
  explicit Told(std::string_view text);

  /// The member's text; empty where it is null or not there.
  std::string json(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
  bool boolean(std::string_view name) const { return json(name) == "true"; }
  std::vector<hub::json::Value> list(std::string_view name) const;

  /// `job_id`, `status`, `result`, `error`, `progress` and, where it is there, `seq`. Its kind is a guess by the
  /// status.
  Change change() const;

 private:
  std::string text_;
  hub::json::Object object_;
};

}  // namespace carillon::model
