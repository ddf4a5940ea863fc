#include "net/http/problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace carillon::net::http {
namespace {

TEST(Problem, MayHaveFurtherMembers) {
  Problem problem{410, "events_gone", "Gone.", {}, 0};
  problem.more = R"("begins_after":7)";
  EXPECT_THAT(to_response(problem).body.text(), testing::EndsWith(R"("message":"Gone.","begins_after":7})"));
}

}  // namespace
}  // namespace carillon::net::http
