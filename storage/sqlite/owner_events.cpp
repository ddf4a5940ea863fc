#include "storage/sqlite/owner_events.h"

#include <memory>
#include <utility>

namespace carillon::storage::sqlite {

OwnerEvents::OwnerEvents(sqlite3* handle, EventLog& log)
    : log_(log),
      insert_owner_(handle, "INSERT INTO owner_events (seq, owner_key, owner_account, data) VALUES (?, ?, ?, ?)") {}

hub::EventPtr OwnerEvents::write(WriteContext& context, const hub::JobOwner& owner, hub::EventKind kind,
                                 hub::Text data) {
  auto event = std::make_shared<hub::Event>();
  event->seq = context.next_seq();
  event->owner = owner;
  event->kind = kind;
  event->at = context.now_ms;
  event->data = std::move(data);
  log_.append(*event, 0, 0);
  insert_owner_.bind(event->seq, owner.key, owner.account, event->data).run();
  context.batch.events.push_back(event);
  return event;
}

}  // namespace carillon::storage::sqlite
