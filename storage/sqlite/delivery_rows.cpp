#include "storage/sqlite/delivery_rows.h"

namespace carillon::storage::sqlite {

DeliveryRows::DeliveryRows(sqlite3* handle, GivenNumbers& numbers, KeptEvents& events)
    : numbers_(numbers),
      events_(events),
      event_of_(handle, "SELECT event FROM deliveries WHERE id = ?"),
      delete_attempts_(handle, "DELETE FROM attempts WHERE delivery = ?"),
      delete_delivery_(handle, "DELETE FROM deliveries WHERE id = ?") {}

void DeliveryRows::erase(WriteContext& context, hub::DeliveryId id, bool pending) {
  event_of_.bind(id);
  const hub::Seq event = event_of_.step() ? event_of_.integer(0) : 0;
  event_of_.reset();
  numbers_.erasing(id.value);
  delete_attempts_.bind(id).run();
  delete_delivery_.bind(id).run();
  events_.settle_event(event);
  if (pending) --context.pending_more;
}

}  // namespace carillon::storage::sqlite
