#include "channels/websocket/deflate_offer.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace carillon::channels::websocket {
namespace {

constexpr const char* plain_answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The answer to these fields; "" where nothing is agreed upon, "malformed" where one of them is.
std::string answer(const std::vector<std::string>& fields) {
  std::optional<DeflateAgreement> agreement;
  for (const std::string& field : fields) {
    if (!agree_on_deflate(field, agreement)) return "malformed";
  }
  return agreement ? to_field_value(*agreement) : "";
}

std::string answer(const std::string& field) { return answer(std::vector{field}); }

TEST(DeflateOffer, TakesWhatItUnderstandsAndKeepsNoContext) {
  for (const char* offer : {
           "permessage-deflate",
           " permessage-deflate\t",
           "permessage-deflate; client_max_window_bits",
           "permessage-deflate;client_max_window_bits=8",
           "permessage-deflate; client_max_window_bits=\"12\"",
           "permessage-deflate; client_max_window_bits = \"1\\2\"",
           "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
           "permessage-deflate ; client_no_context_takeover ;client_max_window_bits",
           ", permessage-deflate,,",
       }) {
    EXPECT_EQ(answer(offer), plain_answer) << offer;
  }
}

TEST(DeflateOffer, SaysTheServersWindowWhereTheClientAskedForIt) {
  for (int bits = 8; bits <= 15; ++bits) {
    const std::string value = "server_max_window_bits=" + std::to_string(bits);
    EXPECT_EQ(answer("permessage-deflate; " + value), std::string(plain_answer) + "; " + value);
  }
  std::optional<DeflateAgreement> agreement;
  EXPECT_TRUE(agree_on_deflate("permessage-deflate; server_max_window_bits=10", agreement));
  EXPECT_EQ(agreement.value().window_bits(), 10);
  agreement.reset();
  EXPECT_TRUE(agree_on_deflate("permessage-deflate", agreement));
  EXPECT_EQ(agreement.value().window_bits(), 15);
}

TEST(DeflateOffer, PassesOverAnOfferItCannotMeet) {
  for (const char* offer : {
           "",
           "permessage-bzip2",
           "x-webkit-deflate-frame",
           "Permessage-Deflate",
           "permessage-deflate; unknown",
           "permessage-deflate; unknown=1",
           "permessage-deflate; server_no_context_takeover=1",
           "permessage-deflate; client_no_context_takeover=\"true\"",
           "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
           "permessage-deflate; client_no_context_takeover; client_max_window_bits; client_no_context_takeover",
           "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
           "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
           "permessage-deflate; server_max_window_bits",
           "permessage-deflate; server_max_window_bits=7",
           "permessage-deflate; server_max_window_bits=16",
           "permessage-deflate; server_max_window_bits=08",
           "permessage-deflate; server_max_window_bits=100",
           "permessage-deflate; server_max_window_bits=1x",
           "permessage-deflate; client_max_window_bits=7",
           "permessage-deflate; client_max_window_bits=0",
           "permessage-deflate; client_max_window_bits=-9",
       }) {
    EXPECT_EQ(answer(offer), "") << offer;
  }
}

TEST(DeflateOffer, TakesTheFirstOfSeveralThatItCanMeet) {
  EXPECT_EQ(answer("permessage-foo, permessage-deflate; server_max_window_bits=7, "
                   "permessage-deflate; server_max_window_bits=10, permessage-deflate"),
            std::string(plain_answer) + "; server_max_window_bits=10");
  // Several fields are one list.
  EXPECT_EQ(answer({"permessage-foo", "permessage-deflate; server_max_window_bits=11", "permessage-deflate"}),
            std::string(plain_answer) + "; server_max_window_bits=11");
}

TEST(DeflateOffer, RefusesWhatIsNoListOfExtensions) {
  for (const char* field : {
           ";",
           "permessage-deflate;",
           "permessage-deflate; ;client_max_window_bits",
           "permessage-deflate client_max_window_bits",
           "permessage-deflate; client_max_window_bits=",
           "permessage-deflate; client_max_window_bits=\"",
           "permessage-deflate; client_max_window_bits=\"12",
           "permessage-deflate; client_max_window_bits=\"12\\",
           "permessage-deflate; client_max_window_bits=\"\"",
           "permessage-deflate; client_max_window_bits=\"1 2\"",
           "permessage-deflate; client_max_window_bits=12 13",
           "permessage-deflate; =12",
           "permessage-deflate=12",
           "permessage-deflate, b@d",
           "\"permessage-deflate\"",
       }) {
    EXPECT_EQ(answer(field), "malformed") << field;
  }
}

}  // namespace
}  // namespace carillon::channels::websocket
