#include "net/http/trace_context.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace carillon::net::http {
namespace {

constexpr std::string_view id = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::optional<TraceContext> read(const std::vector<Field>& fields) { return TraceContext::read(fields); }
std::string state_of(const std::vector<Field>& fields) {
  const auto context = read(fields);
  return context ? context->state : "(none)";
}

TEST(TraceContext, IsReadAndPassedOnUnderANewParent) {
  const auto context = read({{"Host", "hub"}, {"Traceparent", parent}, {"tracestate", "congo=t61rcWkgMzE"}});
  ASSERT_TRUE(context);
  EXPECT_EQ(context->id, id);
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->state, "congo=t61rcWkgMzE");
  EXPECT_EQ(context->traceparent(0xb7ad6b7169203331), "00-4bf92f3577b34da6a3ce929d0e0e4736-b7ad6b7169203331-01");
  EXPECT_EQ(context->traceparent(0), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01") << "0 stands for none";
  EXPECT_EQ(trace_id_of(std::vector<Field>{{"traceparent", parent}}), id);
}

TEST(TraceContext, IsKeptAsText) {
  for (const std::string& state : {std::string(), std::string("a=1,b@c=2-3")}) {
    TraceContext context;
    context.id = id;
    context.sampled = !state.empty();
    context.state = state;
    const auto again = TraceContext::from_text(context.text());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id, context.id);
    EXPECT_EQ(again->sampled, context.sampled);
    EXPECT_EQ(again->state, context.state);
  }
  EXPECT_FALSE(TraceContext::from_text(""));
  EXPECT_FALSE(TraceContext::from_text(id));
}

TEST(TraceContext, OfTheFlagsOnlySampledIsPassedOn) {
  const std::string start = parent.substr(0, parent.size() - 2);
  EXPECT_EQ(read({{"traceparent", start + "00"}})->traceparent(1).substr(53), "00");
  EXPECT_EQ(read({{"traceparent", start + "ff"}})->traceparent(1).substr(53), "01");
  EXPECT_EQ(read({{"traceparent", start + "fe"}})->traceparent(1).substr(53), "00");
}

TEST(TraceContext, ALaterVersionIsReadAsFarAsThisOneGoes) {
  const std::string rest = parent.substr(2);
  EXPECT_TRUE(read({{"traceparent", "01" + rest}}));
  EXPECT_TRUE(read({{"traceparent", "cc" + rest + "-what-the-future-brings"}}));
  EXPECT_FALSE(read({{"traceparent", "cc" + rest + ".what"}}));
  EXPECT_FALSE(read({{"traceparent", "ff" + rest}}));
  EXPECT_FALSE(read({{"traceparent", parent + "-more"}})) << "version 00 is as long as it is";
  EXPECT_EQ(read({{"traceparent", "01" + rest}})->traceparent(1).substr(0, 2), "00");
}

TEST(TraceContext, WhatIsNotSoundIsNotThere) {
  for (const std::string& text : {
           std::string(),
           std::string("00"),
           parent.substr(0, 54),
           std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
           std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b.-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x"),
           std::string("0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
           std::string("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01"),
       }) {
    EXPECT_FALSE(read({{"traceparent", text}, {"tracestate", "a=1"}})) << text;
    EXPECT_EQ(trace_id_of(std::vector<Field>{{"traceparent", text}}), "") << text;
  }
  EXPECT_FALSE(read({{"traceparent", parent}, {"traceparent", parent}})) << "two, even of the same";
  EXPECT_FALSE(read({{"tracestate", "a=1"}})) << "a state of nothing";
}

TEST(TraceContext, TheStateIsTheListOfAllItsFields) {
  EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", " a=1 ,, b=2\t,"}, {"TraceState", "c@d=3"}}),
            "a=1,b=2,c@d=3");
  EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", ""}}), "");
  EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", "0t@v=x y,_*/-=1"}}), "") << "a key begins with a letter";
  EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", "0t@v=x y!~"}}), "0t@v=x y!~");
}

TEST(TraceContext, AStateThatIsNotSoundIsLeftOutWhole) {
  const std::string long_key(257, 'k');
  for (const std::string& state :
       {std::string("a"), std::string("a="), std::string("=1"), std::string("A=1"), std::string("a=1=2"),
        std::string("a b=1"), std::string("a@=1"), std::string("@b=1"), std::string("a@b@c=1"), std::string("a=\x01"),
        std::string("a=\xc3\xa9"), long_key + "=1", "a=" + std::string(257, 'v'), std::string(242, 't') + "@v=1",
        "t@" + std::string(15, 'v') + "=1"}) {
    EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", "good=1," + state}}), "") << state;
  }
  std::string many;
  for (int i = 0; i < 32; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_NE(state_of({{"traceparent", parent}, {"tracestate", many}}), "");
  EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", many + "k32=v"}}), "") << "at most 32 members";
}

TEST(TraceContext, ALongStateLosesItsLargeMembersFirstAndThenItsLast) {
  const std::string large = "l=" + std::string(200, 'x');
  const std::string small = std::string(100, 'y');
  EXPECT_EQ(state_of({{"traceparent", parent},
                      {"tracestate", "a=" + small + "," + large + ",b=" + small + ",c=" + small + ",d=" + small}}),
            "a=" + small + ",b=" + small + ",c=" + small + ",d=" + small);
  std::string many;
  for (const char key : std::string("abcdefgh")) many += std::string(1, key) + "=" + small + ",";
  EXPECT_EQ(state_of({{"traceparent", parent}, {"tracestate", many}}),
            "a=" + small + ",b=" + small + ",c=" + small + ",d=" + small);
}

}  // namespace
}  // namespace carillon::net::http
