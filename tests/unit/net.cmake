carillon_unit_test(net LIBS carillon_net OpenSSL::SSL ZLIB::ZLIB SOURCES
  net/chunked_test.cpp
  net/departure_test.cpp
  net/event_loop_test.cpp
  net/gzip_test.cpp
  net/head_test.cpp
  net/http_beside_test.cpp
  net/http_protocol_test.cpp
  net/negotiation_test.cpp
  net/origin_test.cpp
  net/problem_test.cpp
  net/rate_table_test.cpp
  net/timer_wheel_test.cpp
  net/tls_context_test.cpp
  net/tls_transport_test.cpp
  net/token_bucket_test.cpp
  net/trace_context_test.cpp)
