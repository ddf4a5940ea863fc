// JSON as strangers send it: every way to read a text judges it alike, what is pointed at is what stands there, and a
// text that is written anew from what was read is read as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hub/json.h"
#include "hub/utf8.h"
#include "tests/fuzz/must.h"

namespace {

using namespace carillon::hub;
using carillon::fuzz::must;
using json::Error;
using json::Kind;
using json::Member;
using json::Object;
using json::Value;

constexpr std::size_t input_bytes_max = 4096;
constexpr std::size_t cut_bytes_max = 128;  // every cut of a text takes time by its square
constexpr std::string_view list_name = "updates";

void check_error(const Error& error, std::string_view text) {
  must(error.offset <= text.size());
  must(!error.what.empty() && is_utf8(error.what));
}

/// Whether the \u escapes of a string are code points: each high surrogate has its low one behind it.
bool has_whole_pairs(std::string_view text) {
  unsigned long high = 0;
  std::size_t high_end = 0;
  for (std::size_t at = 0; (at = text.find('\\', at)) != std::string_view::npos; at += 2) {
    if (text[at + 1] != 'u') continue;
    const unsigned long unit = std::stoul(std::string(text.substr(at + 2, 4)), nullptr, 16);
    const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
    if (high != 0 && (!is_low || at != high_end)) return false;
    if (high == 0 && is_low) return false;
    high = unit >= 0xD800 && unit <= 0xDBFF ? unit : 0;
    high_end = at + 6;
  }
  return high == 0;
}

/// Writes it without white space and with the fewest escapes.
void write(std::string& out, const Value& value) {
  switch (value.kind) {
    case Kind::string:
      must(is_utf8(value.string()) && has_whole_pairs(value.text));
      json::append_string(out, value.string());
      break;
    case Kind::array: {
      const char* before = "[";
      for (const Value& element : json::elements_of(value)) {
        out += before;
        write(out, element);
        before = ",";
      }
      out += *before == '[' ? "[]" : "]";
      break;
    }
    case Kind::object: {
      const auto read = json::members_of(value);
      if (std::holds_alternative<Error>(read)) {
        out += value.text;  // a name stands twice, or there are too many
        break;
      }
      const char* before = "{";
      for (const Member& member : std::get<Object>(read).members()) {
        out += before;
        json::append_string(out, member.name);
        out += ':';
        write(out, member.value);
        before = ",";
      }
      out += *before == '{' ? "{}" : "}";
      break;
    }
    case Kind::number:
      if (const auto number = value.integer()) {
        std::string plain;
        json::append_number(plain, *number);
        must(plain == value.text || value.text == "-0");
      }
      out += value.text;
      break;
    default:
      out += value.text;
  }
}

void check_sound(const Value& value, std::string_view text) {
  must(!value.text.empty() && value.text.data() >= text.data() &&
       value.text.data() + value.text.size() <= text.data() + text.size());
  const auto alone = json::check(value.text);
  must(std::holds_alternative<Value>(alone) && std::get<Value>(alone).text == value.text);

  std::string written;
  write(written, value);
  const auto again = json::check(written);
  must(std::holds_alternative<Value>(again) && std::get<Value>(again).kind == value.kind);
  std::string twice;
  write(twice, std::get<Value>(again));
  must(twice == written);

  const bool has_end = value.is(Kind::object) || value.is(Kind::array) || value.is(Kind::string);
  if (!has_end || value.text.size() > cut_bytes_max) return;
  for (std::size_t cut = 0; cut < value.text.size(); ++cut) {
    must(std::holds_alternative<Error>(json::check(value.text.substr(0, cut))));
  }
}

class Shown final : public json::ElementSink {
 public:
  void take(const Value& element, const Object& members) override {
    elements_.push_back(element);
    must(members.members().empty() || element.is(Kind::object));
    if (!element.is(Kind::object)) return;
    const auto read = json::members_of(element);
    const auto* own = std::get_if<Object>(&read);
    must(own != nullptr && own->members().size() == members.members().size());
    for (const Member& member : own->members()) {
      const Value* same = members.find(member.name);
      must(same != nullptr && same->text == member.value.text && same->kind == member.value.kind);
    }
  }

  void compare(const std::vector<Value>& wanted) const {
    must(elements_.size() == wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) must(elements_[i].text == wanted[i].text);
  }

 private:
  std::vector<Value> elements_;
};

bool has_unsound_element(const Value& list) {
  for (const Value& element : json::elements_of(list)) {
    if (element.is(Kind::object) && std::holds_alternative<Error>(json::members_of(element))) return true;
  }
  return false;
}

void check_objects(std::string_view text, bool is_sound_object) {
  const auto read = json::parse_object(text);
  const auto* object = std::get_if<Object>(&read);
  must(object == nullptr || is_sound_object);
  if (object == nullptr) {
    const Error& error = std::get<Error>(read);
    check_error(error, text);
    must(!is_sound_object || error.what.ends_with("stands twice") || error.what.ends_with("members"));
  }

  Shown shown;
  const auto with_list = json::parse_object_of_list(text, list_name, shown);
  const Value* list = object != nullptr ? object->find(list_name) : nullptr;
  const bool has_list = list != nullptr && list->is(Kind::array);
  if (const auto* same = std::get_if<Object>(&with_list)) {
    must(object != nullptr && same->members().size() == object->members().size());
    for (const Member& member : object->members()) must(same->find(member.name)->text == member.value.text);
    shown.compare(has_list ? json::elements_of(*list) : std::vector<Value>());
  } else {
    check_error(std::get<Error>(with_list), text);
    must(object == nullptr || (has_list && has_unsound_element(*list)));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > input_bytes_max) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = json::check(text);
  const auto* value = std::get_if<Value>(&read);
  if (value != nullptr) {
    must(is_utf8(text));
    check_sound(*value, text);
  } else {
    check_error(std::get<Error>(read), text);
  }
  check_objects(text, value != nullptr && value->is(Kind::object));

  std::string quoted;
  json::append_string(quoted, text);
  const auto string = json::check(quoted);
  must(std::holds_alternative<Value>(string));
  const std::string characters = std::get<Value>(string).string();
  must(is_utf8(text) ? characters == text : characters.find("\xEF\xBF\xBD") != std::string::npos);
  return 0;
}
