carillon_unit_test(channels LIBS carillon_channels SOURCES
  channels/event_payload_test.cpp
  channels/notification_log_test.cpp
  channels/query_reader_test.cpp)
