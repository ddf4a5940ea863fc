// The body of an answer, in pieces: text that is made for it, and between that bytes which lie elsewhere and are sent
// from where they are. So a result of megabytes is on its way to a client without having been copied.
//
// Threads: a value.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/bytes.h"

namespace carillon::net::http {

class Body {
 public:
  Body() = default;
  Body(std::string text) : text_(std::move(text)) {}  // NOLINT: a text is a body
  Body(const char* text) : text_(text) {}             // NOLINT: and so is a literal

  void append(std::string_view text) { text_.append(text); }
  /// Bytes that are few are copied all the same: to write a piece of its own costs more.
  void append(const SharedBytes& bytes) {
    if (bytes->size() < shared_bytes_min) return append(std::string_view(*bytes));
    shared_.push_back({text_.size(), bytes});
    shared_bytes_ += bytes->size();
  }
  /// For a body that is sent more than once: where all of it is text, that becomes a piece, so that a copy of the body
  /// is no copy of its bytes.
  void share() {
    if (!shared_.empty() || text_.empty()) return;
    shared_bytes_ = text_.size();
    shared_.push_back({0, std::make_shared<const std::string>(std::exchange(text_, {}))});
  }
  void reserve(std::size_t bytes) { text_.reserve(bytes); }
  /// The same as gzip, where that is kept ready: a constant.
  void keep_gzipped(std::string_view gzipped) { gzipped_ = gzipped; }
  std::string_view gzipped() const { return gzipped_; }
  /// Where more text may be appended by whoever appends to strings.
  std::string& own_text() { return text_; }
  const std::string& own_text() const { return text_; }

  struct Shared {
    std::size_t at;  ///< how much of own_text() stands before it
    SharedBytes bytes;
    friend bool operator==(const Shared&, const Shared&) = default;
  };
  const std::vector<Shared>& shared() const { return shared_; }

  std::size_t size() const { return text_.size() + shared_bytes_; }
  bool empty() const { return size() == 0; }

  /// Whether it holds the very pieces of the other between the same text. Of two that do not, the bytes may be the same
  /// all the same.
  bool same_pieces(const Body& other) const {
    return std::equal(shared_.begin(), shared_.end(), other.shared_.begin(), other.shared_.end()) &&
           text_ == other.text_;
  }

  /// Calls `visit` with each piece in order.
  template <typename Visit>
  void for_each_piece(Visit&& visit) const {
    std::size_t at = 0;
    for (const Shared& piece : shared_) {
      visit(std::string_view(text_).substr(at, piece.at - at));
      visit(std::string_view(*piece.bytes));
      at = piece.at;
    }
    visit(std::string_view(text_).substr(at));
  }

  /// All of it, copied together.
  std::string text() const {
    std::string whole;
    whole.reserve(size());
    for_each_piece([&](std::string_view piece) { whole.append(piece); });
    return whole;
  }

  static constexpr std::size_t shared_bytes_min = 16 * 1024;

 private:
  std::string text_;
  std::vector<Shared> shared_;
  std::size_t shared_bytes_ = 0;
  std::string_view gzipped_;
};

}  // namespace carillon::net::http
