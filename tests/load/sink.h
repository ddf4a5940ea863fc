// A webhook receiver for the load clients: answers each request at once, and hands on what was in it.
//
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "tests/load/peers.h"

namespace carillon::load {

class Sink final : public Peer {
 public:
  using Hook = std::function<void(std::string_view id, std::string_view body)>;

  Sink(Poll& poll, Hook hook);
  ~Sink() override;
  /// Listens on the loopback address. Throws std::runtime_error.
  void listen(std::uint16_t port);
  /// That were ever made to it.
  std::size_t connections() const { return senders_.size(); }

  void on_ready(std::uint32_t events) override;

 private:
  class Sender;

  std::size_t on_bytes(std::string_view /*bytes*/) override { return 0; }

  Poll& poll_;
  Hook hook_;
  std::vector<std::unique_ptr<Sender>> senders_;  ///< all there ever were: a hub keeps its connections
};

}  // namespace carillon::load
