carillon_unit_test(websocket LIBS carillon_websocket SOURCES
  websocket/client_message_test.cpp
  websocket/frame_test.cpp
  websocket/messages_test.cpp
  websocket/subscriptions_test.cpp)
