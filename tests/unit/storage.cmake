carillon_unit_test(storage LIBS carillon_storage SQLite::SQLite3 SOURCES
  storage/committer_test.cpp
  storage/delivery_test.cpp
  storage/disk_full_test.cpp
  storage/endpoint_test.cpp
  storage/identity_test.cpp
  storage/job_test.cpp
  storage/migrations_test.cpp)
