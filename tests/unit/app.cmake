carillon_unit_test(app
  LIBS carillon_app
  SOURCES
    app/access_log_test.cpp
    app/commands_test.cpp
    app/data_directory_test.cpp
    app/descriptions_test.cpp
    app/idempotency_key_test.cpp
    app/installation_test.cpp
    app/log_test.cpp
    app/nearest_word_test.cpp
    app/period_test.cpp
    app/progress_bar_test.cpp
    app/rate_limits_test.cpp
    app/settings_changes_test.cpp
    app/settings_errors_test.cpp
    app/settings_sources_test.cpp
    app/settings_table_test.cpp
    app/spare_memory_test.cpp
    app/top_test.cpp
    app/watchdog_test.cpp)
target_compile_definitions(test_app PRIVATE CARILLON_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
