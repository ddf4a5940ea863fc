#include "channels/webhook/endpoint_health.h"

#include <gtest/gtest.h>

namespace carillon::channels::webhook {
namespace {

constexpr std::size_t requests_max = 16;

TEST(EndpointHealth, BeginsWithOneRequestAndIsAllowedOneMoreWithEachAnswer) {
  EndpointHealth health(requests_max);
  EXPECT_EQ(health.lane(), Lane::untried);
  for (std::size_t allowed = 1; allowed < requests_max; ++allowed) {
    EXPECT_EQ(health.requests_max(), allowed);
    health.note_answer(false, false, false);
    EXPECT_EQ(health.lane(), Lane::quick);
  }
  health.note_answer(false, false, false);
  EXPECT_EQ(health.requests_max(), requests_max);
}

TEST(EndpointHealth, OneThatAsksForLessIsAskedHalfAsMuch) {
  EndpointHealth health(requests_max);
  for (int i = 0; i < 15; ++i) health.note_answer(false, false, false);
  health.note_answer(false, false, true);
  EXPECT_EQ(health.requests_max(), 8U);
  for (int i = 0; i < 10; ++i) health.note_answer(false, false, true);
  EXPECT_EQ(health.requests_max(), 1U);
  EXPECT_EQ(health.lane(), Lane::quick) << "an answer is an answer";
}

TEST(EndpointHealth, OneThatTakesLongIsSlowUntilItDoesNot) {
  EndpointHealth health(requests_max);
  health.note_answer(false, true, false);
  EXPECT_EQ(health.lane(), Lane::slow);
  health.note_answer(false, false, false);
  EXPECT_EQ(health.lane(), Lane::quick);
  health.note_stalled();
  EXPECT_EQ(health.lane(), Lane::slow) << "while a request stalls, no other is begun in the quick lane";
  health.note_answer(false, false, false);
  EXPECT_EQ(health.lane(), Lane::slow);
  health.note_answer(true, true, false);
  EXPECT_EQ(health.lane(), Lane::slow);
  health.note_answer(false, false, false);
  EXPECT_EQ(health.lane(), Lane::quick);
}

TEST(EndpointHealth, OneThatIsDownIsTriedFurtherAndFurtherApart) {
  EndpointHealth health(requests_max);
  for (int i = 0; i < 15; ++i) health.note_answer(false, false, false);
  net::MonotonicMs now = 1'000;
  net::MonotonicMs gap_before = 0;
  for (int i = 0; i < 20; ++i, now += 10'000) {
    health.note_no_answer(false, now, now);
    EXPECT_EQ(health.lane(), Lane::stalled);
    EXPECT_EQ(health.requests_max(), 1U);
    const net::MonotonicMs gap = health.not_before_ms() - now;
    EXPECT_GE(gap, gap_before);
    if (i < 2) {
      EXPECT_EQ(gap, 0) << "a delivery's first retry comes at once";
    }
    gap_before = gap;
  }
  EXPECT_EQ(gap_before, 2'000);
  health.note_answer(false, false, false);
  EXPECT_EQ(health.lane(), Lane::quick);
  EXPECT_EQ(health.requests_max(), 2U) << "coming back, it is not drowned";
  EXPECT_LE(health.not_before_ms(), now);
}

TEST(EndpointHealth, RequestsThatFailTogetherCountOnce) {
  EndpointHealth health(requests_max);
  for (int i = 0; i < 16; ++i) health.note_no_answer(false, 1'000, 1'500 + i);
  EXPECT_LE(health.not_before_ms(), 1'500);
  health.note_answer(false, false, false);
  health.note_no_answer(false, 1'499, 3'000);
  EXPECT_FALSE(health.down()) << "it was begun before those that failed, and one has been answered since";
}

TEST(EndpointHealth, WhatEndsBeforeItReachesTheEndpointTellsNothing) {
  EndpointHealth health(requests_max);
  health.note_nothing(false);
  EXPECT_EQ(health.lane(), Lane::untried);
  health.note_stalled();
  health.note_nothing(true);
  health.note_answer(false, false, false);
  EXPECT_EQ(health.lane(), Lane::quick);
}

TEST(EndpointHealth, OneThatIsKnownToHaveFailedBeginsDown) {
  EndpointHealth health(requests_max);
  health.begin_down();
  EXPECT_EQ(health.lane(), Lane::stalled);
  EXPECT_EQ(health.not_before_ms(), 0);
}

}  // namespace
}  // namespace carillon::channels::webhook
