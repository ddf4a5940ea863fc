// What client and server agree on about a content: its media type and its coding (RFC 9110, sections 8.3, 8.4, 12.5).
//
// Threads: pure functions and values.
#pragma once

#include <optional>
#include <string_view>

namespace carillon::net::http {

/// Whether a Content-Type says JSON in UTF-8: `application/json`, with `charset=utf-8` or no parameter.
bool is_json_type(std::string_view content_type);

/// Whether a Content-Type is what common clients (curl -d, Python's urllib) say of any body when nobody has told them.
bool is_unsaid_type(std::string_view content_type);

/// Whether a Content-Encoding says that nothing was done to the content.
bool is_identity(std::string_view content_encoding);

/// An element of a list of what a client accepts, which says how much (RFC 9110, section 12.4.2).
struct Weighted {
  std::string_view name;
  int weight = 1000;            ///< in thousandths; 0: not at all
  bool has_parameters = false;  ///< others than the weight
};
/// Takes the next element off the front; none for one whose weight is malformed.
std::optional<Weighted> take_weighted(std::string_view& list);

/// What the Accept-Encoding fields of a request say about the one coding that is made here.
class AcceptedCodings {
 public:
  /// Another Accept-Encoding field; an element that is malformed is passed over.
  void add(std::string_view list);

  enum class Choice : unsigned char {
    plain,          ///< gzip is not wanted, or less than none
    gzip_if_worth,  ///< both are
    gzip_only       ///< no coding at all is what the client does not want
  };
  Choice choice() const;

 private:
  static constexpr int not_said = -1;

  int gzip_ = not_said;  ///< each in thousandths
  int identity_ = not_said;
  int any_ = not_said;
};

/// What the Accept fields of a request say about one media type; parameters of a type make no difference here.
class AcceptedType {
 public:
  /// `type` is a literal, "text/event-stream".
  explicit AcceptedType(std::string_view type) : type_(type) {}

  /// Another Accept field; an element that is malformed is passed over.
  void add(std::string_view list);

  /// In thousandths. What names the type goes before what names its kind ("text/*"), and that before "*/*". Who says
  /// nothing at all takes everything.
  int weight() const { return asked_ ? weight_ : 1000; }
  /// Whether the type or its kind was named.
  bool named() const { return match_ >= Match::kind; }

 private:
  enum class Match : unsigned char { none, any, kind, type };

  std::string_view type_;
  Match match_ = Match::none;
  int weight_ = 0;
  bool asked_ = false;
};

}  // namespace carillon::net::http
