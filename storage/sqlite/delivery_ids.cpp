#include "storage/sqlite/delivery_ids.h"

#include <string>

namespace carillon::storage::sqlite {

DeliveryIds::DeliveryIds(sqlite3* handle)
    : keep_(handle, "INSERT OR REPLACE INTO meta (name, value) VALUES ('deliveries_given', ?)") {
  Statement given(handle,
                  "SELECT max(coalesce((SELECT max(id) FROM deliveries), 0), "
                  "coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'deliveries_given'), 0))");
  given.step();
  last_ = given.integer(0);
}

void DeliveryIds::erasing(hub::DeliveryId id) {
  if (id.value <= given_on_disk_) return;
  const std::string last = std::to_string(last_);
  keep_.bind(last).run();
  given_on_disk_ = last_;
}

}  // namespace carillon::storage::sqlite
