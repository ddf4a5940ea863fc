#include "channels/webhook/address_guard.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <stdexcept>

namespace carillon::channels::webhook {
namespace {

bool allows(const AddressGuard& guard, const std::string& text) {
  sockaddr_storage address{};
  if (text.find(':') == std::string::npos) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &v4.sin_addr), 1) << text;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
  }
  return guard.allows(reinterpret_cast<const sockaddr&>(address));
}

TEST(AddressGuard, LetsPublicAddressesThrough) {
  const AddressGuard guard({});
  for (const char* address :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "192.167.255.255",
        "198.17.255.255", "198.20.0.0", "223.255.255.255", "169.253.0.1", "2606:4700::1111", "2a00:1450:4001::1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"}) {
    EXPECT_TRUE(allows(guard, address)) << address;
  }
}

TEST(AddressGuard, RefusesEverySpecialRange) {
  const AddressGuard guard({});
  for (const char* address : {"0.0.0.0",
                              "0.1.2.3",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.100.100.200",
                              "127.0.0.1",
                              "127.255.255.255",
                              "169.254.169.254",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.8",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.19.255.255",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "168.63.129.16",
                              "::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:10.0.0.1",
                              "::127.0.0.1",
                              "64:ff9b::a00:1",
                              "64:ff9b::127.0.0.1",
                              "64:ff9b:1::1",
                              "2002:7f00:1::",
                              "2002:a00:1::1",
                              "100::1",
                              "2001::1",
                              "2001:db8::1",
                              "3fff::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "fec0::1",
                              "ff02::1",
                              "5f00::1",
                              "4000::1"}) {
    EXPECT_FALSE(allows(guard, address)) << address;
  }
}

TEST(AddressGuard, AllowedBlocksAreLetThroughInEveryForm) {
  const AddressGuard guard({"10.1.0.0/16", "127.0.0.1", "fd00::/8"});
  for (const char* address : {"10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "127.0.0.1", "fd12::1"}) {
    EXPECT_TRUE(allows(guard, address)) << address;
  }
  for (const char* address : {"10.2.0.0", "127.0.0.2", "fc00::1"}) EXPECT_FALSE(allows(guard, address)) << address;
}

TEST(AddressGuard, AnIpv6BlockOpensNoIpv4) {
  const AddressGuard guard({"::/0"});
  for (const char* address : {"fd12::1", "::1", "fe80::1"}) EXPECT_TRUE(allows(guard, address)) << address;
  for (const char* address : {"127.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(allows(guard, address)) << address;
  }
}

TEST(AddressGuard, KnowsNoOtherFamily) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_FALSE(AddressGuard({"0.0.0.0/0", "::/0"}).allows(address));
}

TEST(AddressGuard, NamesABlockThatIsNone) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/", "10.0.0.0/x", "host/8"}) {
    try {
      const AddressGuard guard({text});
      FAIL() << text;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find("'" + std::string(text) + "' is no block"), 0U) << error.what();
    }
  }
}

}  // namespace
}  // namespace carillon::channels::webhook
