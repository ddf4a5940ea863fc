#include "app/pages.h"

#include <algorithm>
#include <iostream>
#include <optional>

#include "app/commands.h"
#include "hub/json.h"

namespace carillon::app {

using hub::json::Kind;
using hub::json::Object;
using hub::json::Value;

void Pages::read(std::size_t limit, std::size_t per_page) {
  std::optional<std::string> cursor;
  do {
    const std::size_t page = std::min(per_page, limit - elements_.size());
    const std::string more = cursor ? "&cursor=" + url_part(*cursor) : "";
    const std::string answer = hub_.get(path_ + "limit=" + std::to_string(page) + more);
    const Object object = parse_answer(answer);
    for (const Value& element : hub::json::elements_of(*object.find(member_))) {
      elements_.emplace_back(element.text);
    }
    const Value* next = object.find("next_cursor");
    cursor = next != nullptr && next->is(Kind::string) ? std::optional(next->string()) : std::nullopt;
  } while (cursor && elements_.size() < limit);
}

int Pages::print(const OutputOptions& output, const std::vector<std::string>& members) const {
  if (output.json) {
    std::cout << "{\"" << member_ << "\":[";
    for (std::size_t i = 0; i < elements_.size(); ++i) std::cout << (i == 0 ? "" : ",") << elements_[i];
    std::cout << "]}\n";
    return exit_ok;
  }
  std::vector<Value> objects;
  for (const std::string& element : elements_) objects.push_back({Kind::object, element});
  std::cout << table_of(objects, members);
  return exit_ok;
}

}  // namespace carillon::app
