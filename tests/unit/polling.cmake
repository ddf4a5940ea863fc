carillon_unit_test(polling LIBS carillon_polling SOURCES polling/job_json_test.cpp)
