// What commands make of the hub's answers: JSON as it came, or something for people. Whatever a script reads goes to
// standard output, notes for people to standard error.
//
// Threads: the main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hub/json.h"

namespace carillon::app {

struct OutputOptions {
  bool json = false;
};

/// Throws std::runtime_error for what is no JSON object. Points into `answer`.
hub::json::Object parse_answer(const std::string& answer);

/// A member as text, strings without their quotes; a dash for what is null, empty or missing.
std::string show(const hub::json::Object& object, std::string_view member);

/// A row for each object, a column for each member, and their names above.
std::string table_of(const std::vector<hub::json::Value>& objects, const std::vector<std::string>& members);

/// Prints the answer to a change in JSON, or `note` for people.
int print_change(const std::string& answer, const OutputOptions& output, const std::string& note);
/// Prints the answer in JSON, or for people `word` alone, with `note` beside it.
int print_word(const std::string& answer, const OutputOptions& output, const std::string& note,
               const std::string& word);

/// One part of a path or a value in a query, whatever a user typed.
std::string url_part(const std::string& text);

}  // namespace carillon::app
