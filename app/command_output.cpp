#include "app/command_output.h"

#include <Poco/URI.h>

#include <iostream>
#include <stdexcept>
#include <variant>

#include "app/commands.h"
#include "app/text_table.h"

namespace carillon::app {

using hub::json::Kind;
using hub::json::Object;

Object parse_answer(const std::string& answer) {
  auto parsed = hub::json::parse_object(answer);
  if (auto* object = std::get_if<Object>(&parsed)) return std::move(*object);
  throw std::runtime_error("the hub's answer is not what was expected: " + answer);
}

std::string show(const Object& object, std::string_view member) {
  const auto* value = object.find(member);
  if (value == nullptr || value->is(Kind::null)) return "-";
  std::string text = value->is(Kind::string) ? value->string() : std::string(value->text);
  return text.empty() ? "-" : text;
}

std::string table_of(const std::vector<hub::json::Value>& objects, const std::vector<std::string>& members) {
  std::vector<std::vector<std::string>> rows{members};
  for (const auto& element : objects) {
    const auto one = hub::json::members_of(element);
    auto& row = rows.emplace_back();
    for (const std::string& member : members) row.push_back(show(std::get<Object>(one), member));
  }
  return text_table(rows);
}

int print_change(const std::string& answer, const OutputOptions& output, const std::string& note) {
  (output.json ? std::cout << answer : std::cerr << note) << "\n";
  return exit_ok;
}

int print_word(const std::string& answer, const OutputOptions& output, const std::string& note,
               const std::string& word) {
  if (output.json) {
    std::cout << answer << "\n";
    return exit_ok;
  }
  std::cerr << note << "\n";
  std::cout << word << "\n";
  return exit_ok;
}

std::string url_part(const std::string& text) {
  std::string encoded;
  Poco::URI::encode(text, "/?#%&=+", encoded);
  return encoded;
}

}  // namespace carillon::app
