// How many bytes of deliveries may wait in memory, over all endpoints.
//
// Threads: the dispatcher's.
#pragma once

#include <cstddef>

#include "hub/webhook.h"

namespace carillon::channels::webhook {

class WindowBudget {
 public:
  explicit WindowBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void set_max(std::size_t bytes_max) { bytes_max_ = bytes_max; }

  bool has_room() const { return bytes_ < bytes_max_; }
  void take(std::size_t bytes) { bytes_ += bytes; }
  void give_back(std::size_t bytes) { bytes_ -= bytes; }
  std::size_t bytes() const { return bytes_; }

  /// Of a delivery that waits. An event that is waited for by several is counted for each.
  static std::size_t bytes_of(const hub::Delivery& delivery) {
    const auto size = [](const hub::Text& text) { return text ? text->size() : 0; };
    const hub::Event& event = *delivery.event;
    return sizeof(hub::Delivery) + sizeof(hub::Event) + size(event.result) + size(event.error) + size(event.progress) +
           size(event.data);
  }

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
};

}  // namespace carillon::channels::webhook
