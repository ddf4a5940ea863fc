carillon_unit_test(hub LIBS carillon_hub SOURCES
  hub/authenticator_test.cpp
  hub/clock_test.cpp
  hub/id_test.cpp
  hub/intake_test.cpp
  hub/json_test.cpp
  hub/rules_test.cpp
  hub/string_scan_test.cpp
  hub/tally_test.cpp
  hub/utf8_test.cpp
  hub/webhook_secret_test.cpp
  hub/webhook_test.cpp)
