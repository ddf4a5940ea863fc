// The descriptions in docs/ and the hub's own routes: what one has, the other has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "app/embedded.h"
#include "app/hub_server.h"
#include "hub/json.h"
#include "tests/unit/app/settings_fixture.h"

namespace carillon::app {
namespace {

using hub::json::Object;
using hub::json::Value;
using testing::IsSupersetOf;

Object members_of(std::string_view text) {
  auto parsed = hub::json::parse_object(text);
  const auto* error = std::get_if<hub::json::Error>(&parsed);
  EXPECT_EQ(error, nullptr) << error->what << " at " << error->offset;
  return error == nullptr ? std::get<Object>(std::move(parsed)) : Object{};
}

/// The object in that place, member by member.
Object within(std::string_view text, std::initializer_list<std::string_view> place) {
  Object object = members_of(text);
  for (const std::string_view name : place) {
    const Value* value = object.find(name);
    EXPECT_NE(value, nullptr) << name;
    object = value != nullptr ? members_of(value->text) : Object{};
  }
  return object;
}

/// "GET /api/v1/jobs", as routes and operations are named alike.
using Names = std::set<std::string>;

Names described() {
  static const std::set<std::string> methods = {"get", "put", "post", "delete", "head", "options", "patch", "trace"};
  Names names;
  const Object paths = within(embedded::openapi.text, {"paths"});
  for (const auto& [path, item] : paths.members()) {
    const Object operations = members_of(item.text);
    for (const auto& [method, operation] : operations.members()) {
      if (!methods.contains(method)) continue;
      std::string name = method;
      std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
      names.insert(name + ' ' + path);
    }
  }
  return names;
}

Names served(const net::http::Router& router) {
  Names names;
  for (const auto& route : router.routes()) names.insert(std::string(to_text(route.method)) + ' ' + route.pattern);
  return names;
}

class DescriptionsTest : public testing::Test {
 protected:
  DescriptionsTest() {
    settings_.data = directory_.path() / "data";
    settings_.listen = "127.0.0.1:0";
  }

  TemporaryDirectory directory_;
  Settings settings_;
};

TEST_F(DescriptionsTest, EveryRouteIsDescribedAndEveryOperationIsARoute) {
  const HubServer hub(settings_, Doors::all);
  EXPECT_EQ(described(), served(hub.front_routes()));
}

TEST_F(DescriptionsTest, TheControlSocketHasNothingThatTheListeningAddressHasNot) {
  const HubServer hub(settings_, Doors::control);
  EXPECT_THAT(described(), IsSupersetOf(served(hub.control_routes())));
}

TEST_F(DescriptionsTest, TheWebSocketIsDescribedWhereItIs) {
  const Object channel = within(embedded::asyncapi.text, {"channels", "jobs"});
  EXPECT_TRUE(described().contains("GET " + channel.find("address")->string()));
}

TEST_F(DescriptionsTest, BothSayThisVersion) {
  for (const std::string_view text : {embedded::openapi.text, embedded::asyncapi.text}) {
    EXPECT_EQ(within(text, {"info"}).find("version")->string(), CARILLON_VERSION);
  }
}

}  // namespace
}  // namespace carillon::app
