carillon_unit_test(webhook LIBS carillon_webhook carillon_storage Poco::Net SOURCES
  webhook/address_guard_test.cpp
  webhook/attempt_verdict_test.cpp
  webhook/delivery_json_test.cpp
  webhook/dispatcher_test.cpp
  webhook/endpoint_body_test.cpp
  webhook/endpoint_call_bodies_test.cpp
  webhook/endpoint_health_test.cpp
  webhook/endpoint_queue_test.cpp
  webhook/endpoint_url_test.cpp
  webhook/event_filter_test.cpp
  webhook/header_rules_test.cpp
  webhook/job_hook_test.cpp
  webhook/retry_schedule_test.cpp
  webhook/signer_test.cpp
  webhook/transfers_test.cpp
  webhook/turns_test.cpp)
