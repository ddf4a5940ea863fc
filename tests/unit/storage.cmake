carillon_unit_test(storage LIBS carillon_storage carillon_websocket SQLite::SQLite3 SOURCES
  storage/chores_test.cpp
  storage/committer_test.cpp
  storage/delivery_test.cpp
  storage/disk_full_test.cpp
  storage/endpoint_test.cpp
  storage/feed_test.cpp
  storage/identity_test.cpp
  storage/job_list_test.cpp
  storage/job_test.cpp
  storage/migrations_test.cpp
  storage/missed_events_test.cpp
  storage/ordered_test.cpp
  storage/owner_events_test.cpp
  storage/secret_box_test.cpp
  storage/secrets_test.cpp
  storage/sending_again_test.cpp)
