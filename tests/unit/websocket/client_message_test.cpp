#include "channels/websocket/client_message.h"

#include <gtest/gtest.h>

#include <string>

namespace carillon::channels::websocket {
namespace {

constexpr std::size_t job_ids_max = 3;

ClientMessage read(std::string_view text) { return read_client_message(text, job_ids_max); }

std::string why(std::string_view text) {
  const ClientMessage message = read(text);
  const auto* bad = std::get_if<BadMessage>(&message);
  return bad != nullptr ? bad->why : "(it was taken)";
}

using Jobs = std::vector<std::string>;

TEST(ClientMessage, TakesWhatTheProtocolHas) {
  EXPECT_TRUE(std::holds_alternative<Ping>(read(R"({"action":"ping"})")));
  EXPECT_EQ(std::get<Subscribe>(read(R"({"action":"subscribe","job_id":"a"})")).jobs, Jobs{"a"});
  EXPECT_EQ(std::get<Unsubscribe>(read(R"({"job_id":"*","action":"unsubscribe"})")).jobs, Jobs{"*"});
  EXPECT_FALSE(std::get<Subscribe>(read(R"({"action":"subscribe","job_id":"a"})")).resume);
}

TEST(ClientMessage, TakesManyJobsInTheirOrder) {
  EXPECT_EQ(std::get<Subscribe>(read(R"({"action":"subscribe","job_ids":["b","a","b"]})")).jobs, (Jobs{"b", "a", "b"}));
  EXPECT_EQ(std::get<Unsubscribe>(read(R"({"action":"unsubscribe","job_ids":["*","\u0061"]})")).jobs, (Jobs{"*", "a"}));
  // Whether a string is an id is judged one by one, when its turn comes.
  EXPECT_EQ(std::get<Subscribe>(read(R"({"action":"subscribe","job_ids":["","no id"]})")).jobs, (Jobs{"", "no id"}));
}

TEST(ClientMessage, TakesAPointToGoOnAfter) {
  const auto message = std::get<Subscribe>(
      read(R"({"action":"subscribe","job_ids":["a","b"],"after":9223372036854775807,"epoch":"e\n"})"));
  ASSERT_TRUE(message.resume);
  EXPECT_EQ(message.resume->after, 9'223'372'036'854'775'807);
  EXPECT_EQ(message.resume->epoch, "e\n");
  EXPECT_EQ(std::get<Subscribe>(read(R"({"action":"subscribe","job_id":"a","after":0,"epoch":""})")).resume->after, 0);
}

TEST(ClientMessage, WhatIsNullIsNotGivenAndWhatNobodyReadsIsPassedOver) {
  EXPECT_EQ(std::get<Subscribe>(read(R"({"action":"subscribe","job_id":"a","job_ids":null,"x":[1]})")).jobs, Jobs{"a"});
  EXPECT_FALSE(std::get<Subscribe>(read(R"({"action":"subscribe","job_id":"a","after":null,"epoch":null})")).resume);
  EXPECT_EQ(std::get<Unsubscribe>(read(R"({"action":"unsubscribe","job_id":"a","after":-1})")).jobs, Jobs{"a"});
}

TEST(ClientMessage, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* why;
  } table[] = {
      {R"({"action":)", "Invalid JSON: "},
      {R"([1])", "Invalid JSON: "},
      {R"({"action":"ping"} x)", "Invalid JSON: "},
      {R"({"action":"ping","action":"ping"})", "Invalid JSON: "},
      {R"({})", "Missing action"},
      {R"({"action":null})", "Unknown action: null"},
      {R"({"action":7})", "Unknown action: 7"},
      {R"({"action":["ping"]})", "Unknown action: [\"ping\"]"},
      {R"({"action":"Ping"})", "Unknown action: Ping"},
      {R"({"action":"subscribe"})", "Missing job_id"},
      {R"({"action":"subscribe","job_id":null})", "Missing job_id"},
      {R"({"action":"unsubscribe"})", "Missing job_id"},
      {R"({"action":"subscribe","job_id":7})", "Invalid job_id: a string is wanted"},
      {R"({"action":"subscribe","job_id":["a"]})", "Invalid job_id: a string is wanted"},
      {R"({"action":"subscribe","job_id":"a","job_ids":["b"]})", "Both job_id and job_ids: one of the two is wanted"},
      {R"({"action":"subscribe","job_ids":"a"})", "Invalid job_ids: an array of strings is wanted"},
      {R"({"action":"subscribe","job_ids":["a",null]})", "Invalid job_ids: an array of strings is wanted"},
      {R"({"action":"subscribe","job_ids":[]})", "Invalid job_ids: the array is empty"},
      {R"({"action":"subscribe","job_ids":["a","b","c","d"]})", "Too many job_ids: at most 3"},
      {R"({"action":"subscribe","job_id":"a","after":1})", "Missing epoch: after counts within one epoch"},
      {R"({"action":"subscribe","job_id":"a","epoch":"e"})",
       "Missing after: an epoch is given with the seq to go on after"},
      {R"({"action":"subscribe","job_id":"a","after":-1,"epoch":"e"})",
       "Invalid after: a whole number from 0 on is wanted"},
      {R"({"action":"subscribe","job_id":"a","after":1.5,"epoch":"e"})",
       "Invalid after: a whole number from 0 on is wanted"},
      {R"({"action":"subscribe","job_id":"a","after":"1","epoch":"e"})",
       "Invalid after: a whole number from 0 on is wanted"},
      {R"({"action":"subscribe","job_id":"a","after":9223372036854775808,"epoch":"e"})",
       "Invalid after: a whole number from 0 on is wanted"},
      {R"({"action":"subscribe","job_id":"a","after":1,"epoch":1})", "Invalid epoch: a string is wanted"},
  };
  for (const auto& row : table) {
    std::string said = why(row.text);
    // What exactly is wrong with a JSON is the JSON reader's to say.
    if (said.starts_with("Invalid JSON: ")) said.resize(std::string_view("Invalid JSON: ").size());
    EXPECT_EQ(said, row.why) << row.text;
  }
}

TEST(ClientMessage, AnAnswerToNonsenseIsShort) {
  EXPECT_EQ(why(R"({"action":")" + std::string(10'000, 'x') + "\"}"), "Unknown action: " + std::string(64, 'x'));
  EXPECT_LT(why(R"({"x":1,"x":2})").size(), 100U);
  const std::string name(10'000, 'x');
  EXPECT_LT(why("{\"" + name + "\":1,\"" + name + "\":2}").size(), 200U);
  // Cut between characters: the 64th byte stands within one.
  EXPECT_EQ(shortened(std::string(63, 'x') + "\xC3\xA4"), std::string(63, 'x'));
  EXPECT_EQ(shortened(""), "");
}

}  // namespace
}  // namespace carillon::channels::websocket
