// Lists that the hub gives in pages, as a command prints them.
//
// Threads: the main thread.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "app/command_hub.h"
#include "app/command_output.h"

namespace carillon::app {

/// The elements of a list, page by page until there is no more, or as many as are wanted.
class Pages {
 public:
  /// `path` goes up to where the limit follows: "/admin/keys?"; `member` is the list's name in the answer.
  Pages(CommandHub& hub, std::string path, std::string member)
      : hub_(hub), path_(std::move(path)), member_(std::move(member)) {}

  void read(std::size_t limit, std::size_t per_page);

  /// In JSON, or as a table of those members; returns the exit code.
  int print(const OutputOptions& output, const std::vector<std::string>& members) const;

 private:
  CommandHub& hub_;
  std::string path_;
  std::string member_;
  std::vector<std::string> elements_;
};

}  // namespace carillon::app
