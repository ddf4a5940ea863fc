#include "hub/json.h"

#include <array>
#include <charconv>
#include <utility>

#include "hub/string_scan.h"

namespace carillon::hub::json {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
/// What may stand behind a backslash, but for a u.
constexpr bool is_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return true;
    default:
      return false;
  }
}

int hex4(const char* text) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = text[i];
    int digit = 0;
    if (is_digit(c)) {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return -1;
    }
    value = value << 4 | digit;
  }
  return value;
}

void append_utf8(std::string& out, unsigned point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0U | point >> 6U);
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0U | point >> 12U);
    out += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | point >> 18U);
    out += static_cast<char>(0x80U | (point >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (point >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (point & 0x3FU));
  }
}

/// Most objects the hub reads have no more.
constexpr std::size_t members_expected = 4;

/// One pass over one text. `at_` stands behind what has been checked.
class Scanner {
 public:
  Scanner(std::string_view text, std::size_t depth) : text_(text), depth_left_(depth) {}

  std::variant<Value, Error> whole() {
    skip_blanks();
    Value value;
    if (!scan(value)) return error_;
    skip_blanks();
    if (at_ != text_.size()) {
      fail("there is something behind the value");
      return error_;
    }
    return value;
  }

  /// A member whose value is taken apart further.
  struct List {
    std::string_view name;
    ElementSink& sink;
  };

  /// Checks the object that the whole text is, and lists its members.
  std::variant<Object, Error> object(const List* list = nullptr) {
    Object object;
    object.members().reserve(members_expected);
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != '{') {
      const auto value = whole();
      if (const auto* error = std::get_if<Error>(&value)) return *error;
      const Kind kind = std::get<Value>(value).kind;
      return Error{0, "an object is wanted, this is a value of kind " + std::string(to_text(kind))};
    }
    if (!collect(object, list)) return error_;
    skip_blanks();
    if (at_ != text_.size()) {
      fail("there is something behind the value");
      return error_;
    }
    return object;
  }

  std::vector<Value> elements() {
    std::vector<Value> list;
    ++at_;  // [
    for (skip_blanks(); text_[at_] != ']'; skip_blanks()) {
      if (text_[at_] == ',') {
        ++at_;
        skip_blanks();
      }
      scan(list.emplace_back());
    }
    return list;
  }

 private:
  bool fail(std::string what) {
    error_ = {at_, std::move(what)};
    return false;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool scan(Value& value) {
    const std::size_t start = at_;
    if (at_ == text_.size()) return fail(text_.empty() ? "the text is empty" : "the text ends too early");
    bool sound = false;
    switch (text_[at_]) {
      case '{':
        value.kind = Kind::object;
        sound = scan_object();
        break;
      case '[':
        value.kind = Kind::array;
        sound = scan_array();
        break;
      case '"':
        value.kind = Kind::string;
        sound = scan_string();
        break;
      case 't':
        value.kind = Kind::boolean;
        sound = scan_word("true");
        break;
      case 'f':
        value.kind = Kind::boolean;
        sound = scan_word("false");
        break;
      case 'n':
        value.kind = Kind::null;
        sound = scan_word("null");
        break;
      default:
        value.kind = Kind::number;
        sound = scan_number();
    }
    value.text = text_.substr(start, at_ - start);
    return sound;
  }

  bool scan_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail("this is no JSON value");
    at_ += word.size();
    return true;
  }

  bool scan_number() {
    const std::size_t start = at_;
    const auto digits = [&] {
      const std::size_t first = at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return at_ > first;
    };
    const auto next_is = [&](char c) { return at_ < text_.size() && text_[at_] == c; };
    if (next_is('-')) ++at_;
    const bool zero = next_is('0');
    const std::size_t first = at_;
    if (!digits()) return fail(at_ == start ? "this is no JSON value" : "a number has no digits");
    if (zero && at_ - first > 1) return fail("a number begins with a zero");
    if (next_is('.')) {
      ++at_;
      if (!digits()) return fail("a number has no digits behind its point");
    }
    if (next_is('e') || next_is('E')) {
      ++at_;
      if (next_is('+') || next_is('-')) ++at_;
      if (!digits()) return fail("a number has no digits in its exponent");
    }
    return true;
  }

  bool scan_string() {
    for (++at_;;) {
      at_ = find_string_stop(text_, at_);
      if (at_ == text_.size()) return fail("a string does not end");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!scan_escape()) return false;
      } else {
        return fail(static_cast<unsigned char>(c) < 0x20 ? "a control character stands in a string"
                                                         : "a string is not valid UTF-8");
      }
    }
  }

  bool scan_escape() {
    if (at_ + 1 >= text_.size()) return fail("a string does not end");
    const char c = text_[at_ + 1];
    if (c != 'u') {
      if (!is_escape(c)) return fail("this escape is unknown");
      at_ += 2;
      return true;
    }
    const int unit = at_ + 6 <= text_.size() ? hex4(text_.data() + at_ + 2) : -1;
    if (unit < 0) return fail("\\u needs four hexadecimal digits");
    if (unit >= 0xDC00 && unit <= 0xDFFF) return fail("a lone surrogate stands in a string");
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      const bool pair = at_ + 12 <= text_.size() && text_[at_ + 6] == '\\' && text_[at_ + 7] == 'u';
      const int low = pair ? hex4(text_.data() + at_ + 8) : -1;
      if (low < 0xDC00 || low > 0xDFFF) return fail("a lone surrogate stands in a string");
      at_ += 6;
    }
    at_ += 6;
    return true;
  }

  bool enter() {
    if (depth_left_ == 0) return fail("the text is nested too deeply");
    --depth_left_;
    return true;
  }

  /// Behind an element: a comma (true, and `more`), or the bracket that closes.
  bool scan_separator(char closing, bool& more) {
    skip_blanks();
    if (at_ == text_.size()) return fail("the text ends too early");
    if (text_[at_] != ',' && text_[at_] != closing) return fail("a comma or a closing bracket is missing");
    more = text_[at_] == ',';
    ++at_;
    if (more) skip_blanks();
    return true;
  }

  bool scan_array() {
    return scan_elements([this] {
      Value element;
      return scan(element);
    });
  }

  template <typename ScanElement>
  bool scan_elements(ScanElement&& scan_element) {
    if (!enter()) return false;
    ++at_;
    skip_blanks();
    bool more = at_ >= text_.size() || text_[at_] != ']';
    if (!more) ++at_;
    while (more) {
      if (!scan_element() || !scan_separator(']', more)) return false;
    }
    ++depth_left_;
    return true;
  }

  bool scan_object() {
    return scan_members([this](const Value&, Value& value) { return scan(value); },
                        [](std::size_t, const Value&, const Value&) { return true; });
  }

  /// Lists the members of the object that begins here.
  bool collect(Object& object, const List* list) {
    const auto scan_value = [&](const Value& name, Value& value) {
      const bool wanted = list != nullptr && at_ < text_.size() && text_[at_] == '[' && name.string() == list->name;
      return wanted ? scan_list(value, list->sink) : scan(value);
    };
    return scan_members(scan_value, [&](std::size_t name_at, const Value& name, const Value& value) {
      if (object.members().size() == members_max) {
        at_ = name_at;
        return fail("an object has more than " + std::to_string(members_max) + " members");
      }
      Member member{name.string(), value};
      if (object.find(member.name) != nullptr) {
        at_ = name_at;
        return fail("the member \"" + member.name + "\" stands twice");
      }
      object.members().push_back(std::move(member));
      return true;
    });
  }

  bool scan_list(Value& list, ElementSink& sink) {
    const std::size_t start = at_;
    list.kind = Kind::array;
    Object members;
    members.members().reserve(members_expected);
    const bool sound = scan_elements([&] {
      members.members().clear();
      Value element;
      if (at_ < text_.size() && text_[at_] == '{') {
        const std::size_t element_at = at_;
        if (!collect(members, nullptr)) return false;
        element = {Kind::object, text_.substr(element_at, at_ - element_at)};
      } else if (!scan(element)) {
        return false;
      }
      sink.take(element, members);
      return true;
    });
    list.text = text_.substr(start, at_ - start);
    return sound;
  }

  /// Has each value checked by `scan_value` and shows each member to `take`, with where its name stands; ends when one
  /// of them says false.
  template <typename ScanValue, typename Take>
  bool scan_members(ScanValue&& scan_value, Take&& take) {
    if (!enter()) return false;
    ++at_;
    skip_blanks();
    bool more = at_ >= text_.size() || text_[at_] != '}';
    if (!more) ++at_;
    while (more) {
      const std::size_t name_at = at_;
      if (at_ >= text_.size()) return fail("the text ends too early");
      if (text_[at_] != '"') return fail("a member's name is missing");
      if (!scan_string()) return false;
      const Value name{Kind::string, text_.substr(name_at, at_ - name_at)};
      skip_blanks();
      if (at_ >= text_.size() || text_[at_] != ':') return fail("a colon is missing behind a member's name");
      ++at_;
      skip_blanks();
      Value value;
      if (!scan_value(name, value) || !take(name_at, name, value) || !scan_separator('}', more)) return false;
    }
    ++depth_left_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_left_;
  Error error_;
};

}  // namespace

std::string_view to_text(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "boolean";
    case Kind::number:
      return "number";
    case Kind::string:
      return "string";
    case Kind::array:
      return "array";
    case Kind::object:
      return "object";
  }
  return {};
}

std::string Value::string() const {
  const std::string_view inner = text.substr(1, text.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  std::string out;
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size();) {
    if (inner[i] != '\\') {
      out += inner[i++];
      continue;
    }
    const char c = inner[i + 1];
    i += 2;
    switch (c) {
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'n':
        out += '\n';
        break;
      case 'r':
        out += '\r';
        break;
      case 't':
        out += '\t';
        break;
      case 'u': {
        auto point = static_cast<unsigned>(hex4(inner.data() + i));
        i += 4;
        if (point >= 0xD800 && point <= 0xDBFF) {
          const auto low = static_cast<unsigned>(hex4(inner.data() + i + 2));
          point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
          i += 6;
        }
        append_utf8(out, point);
        break;
      }
      default:
        out += c;
    }
  }
  return out;
}

std::optional<std::int64_t> Value::integer() const {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

const Value* Object::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::variant<Value, Error> check(std::string_view text, std::size_t depth) { return Scanner(text, depth).whole(); }

std::variant<Object, Error> parse_object(std::string_view text, std::size_t depth) {
  return Scanner(text, depth).object();
}

std::variant<Object, Error> parse_object_of_list(std::string_view text, std::string_view list, ElementSink& sink,
                                                 std::size_t depth) {
  const Scanner::List wanted{list, sink};
  return Scanner(text, depth).object(&wanted);
}

std::variant<Object, Error> members_of(const Value& object) {
  // The text has been checked with whatever depth was allowed then.
  return parse_object(object.text, object.text.size());
}

std::vector<Value> elements_of(const Value& array) { return Scanner(array.text, array.text.size()).elements(); }

void append_string(std::string& out, std::string_view text) {
  static constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t plain = find_string_stop(text, i);
    out.append(text, i, plain - i);
    i = plain;
    if (i == text.size()) break;
    const auto c = static_cast<unsigned char>(text[i]);
    ++i;
    if (c >= 0x80) {
      out += "\xEF\xBF\xBD";  // U+FFFD
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += hex[c >> 4U];
        out += hex[c & 0x0FU];
    }
  }
  out += '"';
}

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), static_cast<std::size_t>(end - text.data()));
}

void append_pointer(std::string& out, std::string_view member) {
  out += '/';
  for (const char c : member) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
}

std::string kind_fault(Kind wanted, Kind found) {
  return std::string("must be a JSON ").append(to_text(wanted)).append(", not ").append(to_text(found));
}

}  // namespace carillon::hub::json
