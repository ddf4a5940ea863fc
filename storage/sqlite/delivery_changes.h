// Deliveries: written with their event, and moved on by the attempts that are made; and what these tell of an endpoint.
//
// Threads: the committer's.
#pragma once

#include <string>
#include <vector>

#include "hub/store.h"
#include "storage/sqlite/chores.h"
#include "storage/sqlite/endpoint_table.h"
#include "storage/sqlite/given_numbers.h"
#include "storage/sqlite/owner_events.h"
#include "storage/sqlite/rows.h"
#include "storage/sqlite/statement.h"
#include "storage/sqlite/write_context.h"

namespace carillon::storage::sqlite {

class DeliveryChanges {
 public:
  DeliveryChanges(sqlite3* handle, EndpointTable& endpoints, GivenNumbers& numbers, Chores& chores, EventLog& log);

  /// Writes what an event owes: to the registered endpoints that match, and to the one its submission named.
  void owe(WriteContext& context, const hub::EventPtr& event, const JobRow& row);

  /// Writes a delivery of webhook.test, and returns its id.
  hub::DeliveryId owe_test(WriteContext& context, const hub::Endpoint& endpoint);

  hub::Outcome<hub::Done> record(WriteContext& context, const std::vector<hub::Attempt>& attempts);

  /// Nothing is sent to the endpoint any more; its owner's other endpoints hear of it. `endpoint` is enabled, and has
  /// the reason already.
  void disable(WriteContext& context, hub::Endpoint& endpoint);

 private:
  void owe_to_owner(WriteContext& context, const hub::EventPtr& event);
  void owe_to(WriteContext& context, hub::EndpointId endpoint, const EndpointTable::Standing& standing,
              const hub::EventPtr& event);
  hub::MessageId insert(WriteContext& context, hub::DeliveryId id, hub::EndpointId endpoint, const hub::Event& event,
                        hub::DeliveryState state, hub::UnixMs due_at);
  void record_one(WriteContext& context, const hub::Attempt& attempt);
  /// What an attempt at a delivery that was pending tells of its endpoint.
  void note(const hub::Attempt& attempt, EndpointTable::Standing& standing);

  EndpointTable& endpoints_;
  GivenNumbers& numbers_;
  Chores& chores_;
  OwnerEvents owner_events_;
  Statement insert_delivery_;
  Statement insert_attempt_;
  Statement end_delivery_;
  Statement delay_delivery_;
  Statement end_late_;
  Statement find_delivery_;
  Statement note_failing_;
  Statement note_healthy_;
  Statement disable_endpoint_;
  Statement find_endpoint_;
};

}  // namespace carillon::storage::sqlite
