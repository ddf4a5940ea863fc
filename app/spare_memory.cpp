#include "app/spare_memory.h"

#include <malloc.h>

#include <algorithm>

namespace carillon::app {

bool SpareMemory::is_due(const Sight& sight, std::int64_t now_ms) {
  connections_most_ = std::max(connections_most_, sight.connections);
  const bool some_gone = connections_most_ - sight.connections >= gone_min;
  if (!due_at_ms_ && (some_gone || sight.slow_clients > slow_clients_)) due_at_ms_ = now_ms + delay_ms;
  if (!due_at_ms_ || now_ms < *due_at_ms_) return false;
  due_at_ms_.reset();
  connections_most_ = sight.connections;
  slow_clients_ = sight.slow_clients;
  return true;
}

void give_spare_memory_back() { malloc_trim(0); }

}  // namespace carillon::app
