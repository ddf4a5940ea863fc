// JSON (RFC 8259), strictly, and without building a tree: a text is checked once, in one pass; what the hub needs of it
// is pointed at, and what it only carries (result, progress, metadata) stays the text it was.
//
// Decided answers: depth over the limit, a member twice in the same object where the hub reads it, invalid UTF-8, a
// lone surrogate, a control character in a string, a byte order mark, anything behind the value: all refused. A number
// is any that the grammar allows; it is carried as it was written.
//
// Threads: pure functions and views.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace carillon::hub::json {

inline constexpr std::size_t depth_max = 64;
/// Of an object whose members the hub reads; finding a name that stands twice takes time by its square.
inline constexpr std::size_t members_max = 256;

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
std::string_view to_text(Kind kind);

struct Error {
  std::size_t offset = 0;  ///< bytes from the start of the text
  std::string what;        ///< "a string is not valid UTF-8"
};

/// A checked value: a view of its text, without white space around it.
struct Value {
  Kind kind = Kind::null;
  std::string_view text;

  bool is(Kind k) const { return kind == k; }
  /// The characters a string stands for; only for strings.
  std::string string() const;
  bool boolean() const { return text == "true"; }
  /// The number where it is an integer that fits; only for numbers.
  std::optional<std::int64_t> integer() const;
};

struct Member {
  std::string name;
  Value value;
};

class Object {
 public:
  /// Null when there is no such member.
  const Value* find(std::string_view name) const;
  const std::vector<Member>& members() const { return members_; }
  std::vector<Member>& members() { return members_; }

 private:
  std::vector<Member> members_;
};

/// Checks one whole text.
std::variant<Value, Error> check(std::string_view text, std::size_t depth = depth_max);

/// Checks one whole text that must be an object, and points at its members. A name that stands twice is an error.
std::variant<Object, Error> parse_object(std::string_view text, std::size_t depth = depth_max);

/// Takes the elements of a list one by one, as they are checked.
class ElementSink {
 public:
  virtual ~ElementSink() = default;
  /// `members` are the element's own where it is an object, else none. They are gone when it returns; the text that
  /// they point at stays. The text behind the element has not been looked at yet: it may turn out to be unsound.
  virtual void take(const Value& element, const Object& members) = 0;
};

/// As parse_object() does, in one pass over the text, for an object that holds a list: where its member `list` is an
/// array, each element is shown to the sink with its members, which are looked at as strictly as the object's own.
std::variant<Object, Error> parse_object_of_list(std::string_view text, std::string_view list, ElementSink& sink,
                                                 std::size_t depth = depth_max);

/// Points at the members of a checked object; an error only for a name that stands twice or too many members.
std::variant<Object, Error> members_of(const Value& object);
/// Points at the elements of a checked array.
std::vector<Value> elements_of(const Value& array);

/// Appends `text` (UTF-8) as a JSON string, quotes and all. Invalid bytes become U+FFFD.
void append_string(std::string& out, std::string_view text);
void append_number(std::string& out, std::int64_t number);
/// Appends "/name" as RFC 6901, section 3 has it: the way from where `out` points to one of its members.
void append_pointer(std::string& out, std::string_view member);

/// "must be a JSON string, not number"
std::string kind_fault(Kind wanted, Kind found);

}  // namespace carillon::hub::json
