// The database that all trials begin with: its accounts and keys.
//
// Threads: the trial's.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/model/reference.h"

namespace carillon::model {

/// A database with the trial's accounts and keys, made once.
class Template {
 public:
  explicit Template(const std::filesystem::path& folder);
  void copy_to(const std::filesystem::path& folder) const;
  const std::vector<Caller>& callers() const { return callers_; }

 private:
  std::filesystem::path folder_;
  std::vector<Caller> callers_;
};

}  // namespace carillon::model
