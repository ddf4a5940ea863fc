// Files of the repository that are part of the program, put into it when it is built (cmake/embed.cmake).
//
// Threads: constants; any.
#pragma once

#include <cstddef>
#include <string_view>

namespace carillon::app::embedded {

struct File {
  std::string_view text;
  std::string_view gzipped;  ///< the same, compressed
  std::string_view etag;     ///< of the text, in its quotes
};

extern const File openapi;   ///< docs/openapi.json
extern const File asyncapi;  ///< docs/asyncapi.json

}  // namespace carillon::app::embedded
