carillon_unit_test(websocket LIBS carillon_websocket ZLIB::ZLIB SOURCES
  websocket/admission_test.cpp
  websocket/client_message_test.cpp
  websocket/deflate_offer_test.cpp
  websocket/deflate_test.cpp
  websocket/drain_pace_test.cpp
  websocket/frame_test.cpp
  websocket/held_answers_test.cpp
  websocket/message_reader_test.cpp
  websocket/messages_test.cpp
  websocket/refusal_pace_test.cpp
  websocket/subscriptions_test.cpp)
