// Answers as gzip (RFC 1952), for clients that take it.
//
// Threads: belongs to its loop, and holds it up while it works: hence the bound on what it is given.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "net/http/body.h"

struct z_stream_s;

namespace carillon::net::http {

struct GzipOptions {
  std::size_t bytes_min = 0;  ///< of a body that is worth it; 0: none is
  std::size_t bytes_max = 0;  ///< of a body that does not hold up the loop for long
};

class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  /// The body compressed; empty where that is no shorter, or there is no memory for it. A body with pieces that are
  /// shared is remembered, the last one: what is sent to many is compressed once.
  Body compress(const Body& body);

 private:
  std::string deflated(const Body& body);

  std::unique_ptr<z_stream_s> stream_;  ///< made when it is first needed, a quarter of a MiB with its tables
  Body last_;
  Body last_compressed_;
};

}  // namespace carillon::net::http
