carillon_unit_test(polling LIBS carillon_polling carillon_storage Poco::Net SOURCES
  polling/event_json_test.cpp
  polling/event_streams_test.cpp
  polling/feed_polls_test.cpp
  polling/job_answer_test.cpp
  polling/job_cache_test.cpp
  polling/job_json_test.cpp
  polling/sight_index_test.cpp
  polling/wait_test.cpp
  polling/waiting_poll_test.cpp
  polling/waiting_room_test.cpp
  polling/woken_pages_test.cpp)
