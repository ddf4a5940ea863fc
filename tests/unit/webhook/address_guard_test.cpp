#include "channels/webhook/address_guard.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <stdexcept>

namespace carillon::channels::webhook {
namespace {

using Blocks = std::vector<std::string>;

bool allows(const AddressGuard& guard, const std::string& text, std::uint32_t zone = 0) {
  sockaddr_storage address{};
  if (text.find(':') == std::string::npos) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(address);
    v4.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &v4.sin_addr), 1) << text;
  } else {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(address);
    v6.sin6_family = AF_INET6;
    v6.sin6_scope_id = zone;
    EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
  }
  return guard.allows(reinterpret_cast<const sockaddr&>(address));
}

struct Judged {
  const char* address;
  bool allowed;
};

/// Each range with its first and last address, and the neighbours on both sides where those are public.
constexpr Judged judged[] = {
    // Public, and next to what is not.
    {"1.0.0.0", true},
    {"1.1.1.1", true},
    {"8.8.8.8", true},
    {"9.255.255.255", true},
    {"11.0.0.0", true},
    {"100.63.255.255", true},
    {"100.128.0.0", true},
    {"126.255.255.255", true},
    {"128.0.0.0", true},
    {"168.63.129.15", true},
    {"168.63.129.17", true},
    {"169.253.255.255", true},
    {"169.255.0.0", true},
    {"172.15.255.255", true},
    {"172.32.0.0", true},
    {"191.255.255.255", true},
    {"192.0.1.0", true},
    {"192.0.3.0", true},
    {"192.31.195.255", true},
    {"192.31.197.0", true},
    {"192.52.192.255", true},
    {"192.52.194.0", true},
    {"192.88.98.255", true},
    {"192.88.100.0", true},
    {"192.167.255.255", true},
    {"192.169.0.0", true},
    {"192.175.47.255", true},
    {"192.175.49.0", true},
    {"198.17.255.255", true},
    {"198.20.0.0", true},
    {"198.51.99.255", true},
    {"198.51.101.0", true},
    {"203.0.112.255", true},
    {"203.0.114.0", true},
    {"223.255.255.255", true},
    // IANA IPv4 Special-Purpose Address Registry, row by row.
    {"0.0.0.0", false},
    {"0.255.255.255", false},
    {"10.0.0.0", false},
    {"10.255.255.255", false},
    {"100.64.0.0", false},
    {"100.127.255.255", false},
    {"127.0.0.1", false},
    {"127.255.255.255", false},
    {"169.254.0.0", false},
    {"169.254.255.255", false},
    {"172.16.0.0", false},
    {"172.31.255.255", false},
    {"192.0.0.0", false},
    {"192.0.0.8", false},
    {"192.0.0.9", false},
    {"192.0.0.10", false},
    {"192.0.0.170", false},
    {"192.0.0.255", false},
    {"192.0.2.0", false},
    {"192.0.2.255", false},
    {"192.31.196.1", false},
    {"192.52.193.1", false},
    {"192.88.99.1", false},
    {"192.88.99.2", false},
    {"192.168.0.0", false},
    {"192.168.255.255", false},
    {"192.175.48.1", false},
    {"198.18.0.0", false},
    {"198.19.255.255", false},
    {"198.51.100.0", false},
    {"198.51.100.255", false},
    {"203.0.113.0", false},
    {"203.0.113.255", false},
    {"240.0.0.0", false},
    {"255.255.255.254", false},
    {"255.255.255.255", false},
    // Multicast.
    {"224.0.0.1", false},
    {"239.255.255.255", false},
    // Metadata services.
    {"169.254.169.254", false},
    {"169.254.170.2", false},
    {"100.100.100.200", false},
    {"168.63.129.16", false},
    {"192.0.0.192", false},
    {"fd00:ec2::254", false},
    {"fd20:ce::254", false},
    // Public IPv6, and next to what is not.
    {"2000::1", true},
    {"2001:200::", true},
    {"2001:4860:4860::8888", true},
    {"2001:db7:ffff::1", true},
    {"2001:db9::", true},
    {"2003::1", true},
    {"2606:4700:4700::1111", true},
    {"2620:4f:7fff:ffff::1", true},
    {"2620:4f:8001::", true},
    {"2a00:1450:4001:811::200e", true},
    {"3ffe:ffff::1", true},
    {"3fff:1000::", true},
    // IANA IPv6 Special-Purpose Address Registry, row by row.
    {"::1", false},
    {"::", false},
    {"64:ff9b:1::1", false},
    {"64:ff9b:1:ffff:ffff:ffff:ffff:ffff", false},
    {"100::1", false},
    {"100:0:0:1::1", false},
    {"2001::", false},
    {"2001:1::1", false},
    {"2001:1::2", false},
    {"2001:1::3", false},
    {"2001:2::1", false},
    {"2001:3::1", false},
    {"2001:4:112::1", false},
    {"2001:10::1", false},
    {"2001:20::1", false},
    {"2001:30::1", false},
    {"2001:1ff:ffff:ffff::1", false},
    {"2001:db8::1", false},
    {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", false},
    {"2620:4f:8000::1", false},
    {"3fff::1", false},
    {"3fff:fff:ffff:ffff::1", false},
    {"5f00::1", false},
    {"fc00::1", false},
    {"fdff:ffff::1", false},
    {"fe80::1", false},
    {"febf::1", false},
    // Multicast, and what is not global unicast.
    {"ff02::1", false},
    {"ff0e::1", false},
    {"fec0::1", false},
    {"4000::1", false},
    {"1fff:ffff::1", false},
    {"64:ff9a::8.8.8.8", false},
    {"64:ff9b::1:0:8.8.8.8", false},
    // v4-mapped: judged by the IPv4 address.
    {"::ffff:8.8.8.8", true},
    {"::ffff:127.0.0.1", false},
    {"::ffff:10.0.0.1", false},
    {"::ffff:169.254.169.254", false},
    {"::ffff:0.0.0.0", false},
    // NAT64 by the well-known prefix: judged by the IPv4 address.
    {"64:ff9b::8.8.8.8", true},
    {"64:ff9b::127.0.0.1", false},
    {"64:ff9b::10.0.0.1", false},
    {"64:ff9b::169.254.169.254", false},
    {"64:ff9b::168.63.129.16", false},
    // NAT64 by a local prefix: refused, whatever it carries.
    {"64:ff9b:1::8.8.8.8", false},
    {"64:ff9b:1::10.0.0.1", false},
    // 6to4: judged by the IPv4 address.
    {"2002:808:808::1", true},
    {"2002:7f00:1::", false},
    {"2002:a00:1::1", false},
    {"2002:a9fe:a9fe::1", false},
    {"2002:c0a8:101::808:808", false},
    // Teredo: refused, whatever it carries (here 8.8.8.8 and 127.0.0.1, inverted).
    {"2001:0:808:808::f7f7:f7f7", false},
    {"2001:0:808:808::80ff:fffe", false},
    // IPv4-compatible: refused, whatever it carries.
    {"::8.8.8.8", false},
    {"::127.0.0.1", false},
    {"::10.0.0.1", false},
    // IPv4-translated (SIIT).
    {"::ffff:0:8.8.8.8", false},
    // ISATAP: both halves must be public.
    {"2606:4700::5efe:8.8.8.8", true},
    {"2606:4700::200:5efe:8.8.8.8", true},
    {"2606:4700::5efe:10.0.0.1", false},
    {"2606:4700::200:5efe:127.0.0.1", false},
    {"fe80::5efe:8.8.8.8", false},
};

TEST(AddressGuard, LetsPublicAddressesThroughAndNoOther) {
  static_assert(std::size(judged) >= 80);
  const AddressGuard guard({});
  for (const auto& [address, allowed] : judged) EXPECT_EQ(allows(guard, address), allowed) << address;
}

TEST(AddressGuard, OfEveryIpv4AddressJudgesAllFormsAlike) {
  const AddressGuard guard({"10.1.0.0/16"}, {"10.1.2.0/24", "8.8.8.0/24"});
  for (const char* v4 : {"8.8.8.8", "9.9.9.9", "10.0.0.1", "10.1.0.1", "10.1.2.1", "127.0.0.1"}) {
    const bool allowed = allows(guard, v4);
    in_addr bytes{};
    inet_pton(AF_INET, v4, &bytes);
    char six_to_four[32];
    const std::uint32_t number = ntohl(bytes.s_addr);
    std::snprintf(six_to_four, sizeof six_to_four, "2002:%x:%x::1", number >> 16U, number & 0xFFFFU);
    EXPECT_EQ(allows(guard, std::string("::ffff:") + v4), allowed) << v4;
    EXPECT_EQ(allows(guard, std::string("64:ff9b::") + v4), allowed) << v4;
    EXPECT_EQ(allows(guard, six_to_four), allowed) << v4 << " as " << six_to_four;
  }
}

TEST(AddressGuard, AZoneChangesNothing) {
  const AddressGuard guard({});
  EXPECT_FALSE(allows(guard, "fe80::1", 2));
  EXPECT_FALSE(allows(guard, "::1", 1));
  EXPECT_FALSE(allows(guard, "ff02::1", 2));
  EXPECT_TRUE(allows(guard, "2606:4700::1111", 2));
  EXPECT_TRUE(allows(AddressGuard({"fe80::/10"}), "fe80::1", 7));
  EXPECT_FALSE(allows(AddressGuard({"fe80::/10"}, {"fe80::1"}), "fe80::1", 7));
}

struct Combination {
  Blocks allow;
  Blocks deny;
  const char* address;
  bool allowed;
};

TEST(AddressGuard, DeniedGoesBeforeAllowedAndAllowedBeforeTheRegistries) {
  const Combination combinations[] = {
      {{"10.1.0.0/16"}, {}, "10.1.2.3", true},
      {{"10.1.0.0/16"}, {}, "10.2.0.0", false},
      {{"10.1.0.0/16"}, {}, "8.8.8.8", true},  // allowing opens, it closes nothing
      {{"127.0.0.1"}, {}, "127.0.0.1", true},
      {{"127.0.0.1"}, {}, "127.0.0.2", false},
      {{"fd00::/8"}, {}, "fd12::1", true},
      {{"fd00::/8"}, {}, "fc00::1", false},
      {{"0.0.0.0/0"}, {}, "169.254.169.254", true},
      {{"::1"}, {}, "::1", true},
      {{"::1/128"}, {}, "::", false},
      {{"224.0.0.0/4"}, {}, "239.1.1.1", true},

      {{"10.0.0.0/8"}, {"10.1.0.0/16"}, "10.1.2.3", false},
      {{"10.0.0.0/8"}, {"10.1.0.0/16"}, "10.2.0.1", true},
      {{"10.1.2.3"}, {"10.0.0.0/8"}, "10.1.2.3", false},  // also where the allowed one is the narrower
      {{"10.0.0.0/8"}, {"10.0.0.0/8"}, "10.1.2.3", false},
      {{}, {"8.8.8.0/24"}, "8.8.8.8", false},
      {{}, {"8.8.8.0/24"}, "8.8.9.8", true},
      {{}, {"8.8.8.8"}, "8.8.8.9", true},
      {{}, {"0.0.0.0/0"}, "8.8.8.8", false},
      {{}, {"0.0.0.0/0"}, "2606:4700::1", true},
      {{}, {"2606::/16"}, "2606:4700::1", false},
      {{"fd00::/8"}, {"fd00:ec2::254"}, "fd00:ec2::254", false},
      {{"fd00::/8"}, {"fd00:ec2::254"}, "fd00:ec2::255", true},

      // What an address carries counts for both.
      {{"10.1.0.0/16"}, {}, "::ffff:10.1.2.3", true},
      {{"10.1.0.0/16"}, {}, "64:ff9b::10.1.2.3", true},
      {{"10.1.0.0/16"}, {}, "2002:a01:203::1", true},
      {{"10.1.0.0/16"}, {}, "64:ff9b:1::10.1.2.3", false},       // carried, and not what is judged by
      {{"10.1.0.0/16"}, {}, "::10.1.2.3", false},                // nor here
      {{"10.1.0.0/16"}, {}, "2001:0:1::f5fe:fdfc", false},       // nor in Teredo
      {{"10.1.0.0/16"}, {}, "2606:4700::5efe:10.1.2.3", false},  // nor in ISATAP
      {{}, {"8.8.8.8"}, "::ffff:8.8.8.8", false},
      {{}, {"8.8.8.8"}, "64:ff9b::8.8.8.8", false},
      {{}, {"8.8.8.8"}, "2002:808:808::1", false},
      {{}, {"8.8.8.8"}, "2606:4700::5efe:8.8.8.8", false},
      {{"64:ff9b:1::/48"}, {"8.8.8.8"}, "64:ff9b:1::8.8.8.8", false},
      {{"64:ff9b:1::/48"}, {"8.8.8.8"}, "64:ff9b:1::8.8.8.9", true},
      {{"2001::/32"}, {"127.0.0.0/8"}, "2001:0:1::80ff:fffe", false},
      {{"2001::/32"}, {"127.0.0.0/8"}, "2001:0:1::f7f7:f7f7", true},
      {{"::/96"}, {"127.0.0.0/8"}, "::127.0.0.1", false},
      {{}, {"64:ff9b::/96"}, "64:ff9b::8.8.8.8", false},
      {{}, {"2002::/16"}, "2002:808:808::1", false},

      // A wide block was written for IPv6.
      {{"::/0"}, {}, "fd12::1", true},
      {{"::/0"}, {}, "::1", true},
      {{"::/0"}, {}, "fe80::1", true},
      {{"::/0"}, {}, "127.0.0.1", false},
      {{"::/0"}, {}, "::ffff:127.0.0.1", false},
      {{"::/0"}, {}, "64:ff9b::169.254.169.254", false},
      {{"::/0"}, {}, "64:ff9b:1::10.0.0.1", false},
      {{"::/0"}, {}, "2002:7f00:1::1", false},
      {{"::/0"}, {}, "2001:0:1::80ff:fffe", false},
      {{"64::/16"}, {}, "64:ff9b::10.0.0.1", false},
      {{"64:ff9b::/96"}, {}, "64:ff9b::10.0.0.1", true},
      {{"2002::/16"}, {}, "2002:a00:1::1", true},
      {{"::ffff:0:0/96"}, {}, "127.0.0.1", true},
      {{"::ffff:10.0.0.0/104"}, {}, "10.9.9.9", true},
      {{}, {"::/0"}, "8.8.8.8", true},
      {{}, {"::/0"}, "2606:4700::1", false},
      {{}, {"::/0"}, "64:ff9b::8.8.8.8", false},
      {{}, {"0.0.0.0/0", "::/0"}, "::ffff:8.8.8.8", false},
      {{"0.0.0.0/0", "::/0"}, {"169.254.169.254"}, "169.254.169.254", false},
      {{"0.0.0.0/0", "::/0"}, {"169.254.169.254"}, "64:ff9b::169.254.169.254", false},
      {{"0.0.0.0/0", "::/0"}, {"169.254.169.254"}, "169.254.169.253", true},
  };
  for (const auto& [allow, deny, address, allowed] : combinations) {
    EXPECT_EQ(allows(AddressGuard(allow, deny), address), allowed)
        << address << ", allowed " << testing::PrintToString(allow) << ", denied " << testing::PrintToString(deny);
  }
}

TEST(AddressGuard, KnowsNoOtherFamily) {
  sockaddr address{};
  address.sa_family = AF_UNIX;
  EXPECT_FALSE(AddressGuard({"0.0.0.0/0", "::/0"}).allows(address));
}

TEST(AddressGuard, NamesABlockThatIsNoneAndSaysWhy) {
  const std::string none = "is no block of addresses like 10.0.0.0/8 or fd00::/8";
  const std::string zone = "names a zone; a block is of addresses alone: leave out the % and what follows it";
  const std::pair<const char*, std::string> faults[] = {
      {"", none},
      {"/8", none},
      {"10.0.0.0/33", none},
      {"10.0.0/8", none},
      {"010.0.0.0/8", none},
      {"fd00::/129", none},
      {"[fd00::]/8", none},
      {"10.0.0.0/", none},
      {"10.0.0.0/-1", none},
      {"10.0.0.0/8 ", none},
      {" 10.0.0.0/8", none},
      {"10.0.0.0/99999999999", none},
      {"10.0.0.0/x", none},
      {"host/8", none},
      {"fe80::1%eth0", zone},
      {"fe80::%1/10", zone},
      {"10.1.2.3/8", "is an address inside a block: write 10.0.0.0/8 for the block, or 10.1.2.3 for this one address"},
      {"10.0.0.1/31",
       "is an address inside a block: write 10.0.0.0/31 for the block, or 10.0.0.1 for this one address"},
      {"1.2.3.4/0", "is an address inside a block: write 0.0.0.0/0 for the block, or 1.2.3.4 for this one address"},
      {"fd00::1/8", "is an address inside a block: write fd00::/8 for the block, or fd00::1 for this one address"},
  };
  for (const auto& [text, fault] : faults) {
    EXPECT_EQ(block_fault(text), fault) << text;
    for (const bool deny : {false, true}) {
      try {
        const AddressGuard guard(deny ? Blocks{} : Blocks{"10.0.0.0/8", text}, deny ? Blocks{text} : Blocks{});
        FAIL() << text;
      } catch (const std::invalid_argument& error) {
        EXPECT_EQ(error.what(), "'" + std::string(text) + "' " + fault);
      }
    }
  }
  for (const char* sound : {"0.0.0.0/0", "::/0", "10.0.0.0/8", "10.1.2.3/32", "10.1.2.3", "fd00::/8", "::1",
                            "2001:db8::/31", "::ffff:10.0.0.0/104"}) {
    EXPECT_EQ(block_fault(sound), std::nullopt) << sound;
  }
}

}  // namespace
}  // namespace carillon::channels::webhook
