#include "channels/websocket/frame.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "tests/unit/websocket/client_frames.h"

namespace carillon::channels::websocket {
namespace {

TEST(Frame, ReadsTheExampleOfTheRfc) {
  // RFC 6455, section 5.7: a single-frame masked text message "Hello".
  const std::string frame = bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  FrameHead head;
  ASSERT_EQ(read_frame_head(frame, Deflate::no, head).state, FrameState::complete);
  EXPECT_TRUE(head.final);
  EXPECT_FALSE(head.deflated);
  EXPECT_EQ(head.opcode, Opcode::text);
  EXPECT_EQ(head.payload_bytes, 5U);
  std::string text(5, '\0');
  unmask(text.data(), std::string_view(frame).substr(head.head_bytes), head.mask);
  EXPECT_EQ(text, "Hello");
}

TEST(Frame, UnmaskingInPiecesIsTheSameFromAnyPlaceToAnyPlace) {
  const std::array<std::uint8_t, 4> mask{1, 2, 3, 4};
  const std::string masked = "abcdefghijklmnopqrstuvwxyz";
  std::string wanted = masked;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    wanted[i] = static_cast<char>(static_cast<unsigned char>(wanted[i]) ^ mask[i % 4]);
  for (std::size_t cut = 0; cut <= masked.size(); ++cut) {
    std::string pieces = masked;  // in place
    unmask(pieces.data(), std::string_view(pieces).substr(0, cut), mask);
    unmask(pieces.data() + cut, std::string_view(pieces).substr(cut), mask, cut);
    EXPECT_EQ(pieces, wanted) << cut;
  }
}

TEST(Frame, IsIncompleteAtEveryCutOfItsHead) {
  for (const std::string& frame : {bytes({0x81, 0x80, 1, 2, 3, 4}), bytes({0x81, 0xFE, 1, 0, 1, 2, 3, 4}),
                                   bytes({0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4})}) {
    FrameHead head;
    for (std::size_t cut = 0; cut < frame.size(); ++cut) {
      EXPECT_EQ(read_frame_head(frame.substr(0, cut), Deflate::no, head).state, FrameState::incomplete) << cut;
    }
    EXPECT_EQ(read_frame_head(frame, Deflate::no, head).state, FrameState::complete);
    EXPECT_EQ(head.head_bytes, frame.size());
  }
}

TEST(Frame, TheFirstRsvBitMarksADeflatedMessageWhereThatWasAgreedUpon) {
  FrameHead head;
  for (const int first : {0xC1, 0xC2, 0x41, 0x42}) {
    const std::string frame = bytes({first, 0x80, 1, 2, 3, 4});
    EXPECT_EQ(read_frame_head(frame, Deflate::yes, head).state, FrameState::complete);
    EXPECT_TRUE(head.deflated);
    EXPECT_EQ(read_frame_head(frame, Deflate::no, head).state, FrameState::malformed);
  }
  for (const int first : {0xC0, 0x40, 0xC8, 0xC9, 0xCA, 0xE1, 0xD1, 0xA1, 0x91}) {
    EXPECT_EQ(read_frame_head(bytes({first}), Deflate::yes, head).state, FrameState::malformed) << first;
  }
}

TEST(Frame, RefusesWhatFailsAConnectionAtTheByteThatDoes) {
  const struct {
    const char* what;
    std::string frame;
  } table[] = {
      {"no mask", bytes({0x81, 0x05})},
      {"RSV1", bytes({0xC1})},
      {"RSV2", bytes({0xA1})},
      {"RSV3", bytes({0x91})},
      {"opcode 3", bytes({0x83})},
      {"opcode 7", bytes({0x87})},
      {"opcode 11", bytes({0x8B})},
      {"opcode 15", bytes({0x8F})},
      {"a fragmented close", bytes({0x08})},
      {"a fragmented ping", bytes({0x09})},
      {"a fragmented pong", bytes({0x0A})},
      {"a long ping", bytes({0x89, 0xFE})},
      {"a longer close", bytes({0x88, 0xFF})},
      {"125 in two bytes", bytes({0x81, 0xFE, 0, 125})},
      {"65535 in eight bytes", bytes({0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF})},
      {"a length with its highest bit set", bytes({0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0})},
  };
  for (const auto& row : table) {
    FrameHead head;
    const FrameResult result = read_frame_head(row.frame, Deflate::no, head);
    EXPECT_EQ(result.state, FrameState::malformed) << row.what;
    EXPECT_FALSE(result.why.empty()) << row.what;
    const std::string shorter = row.frame.substr(0, row.frame.size() - 1);
    EXPECT_EQ(read_frame_head(shorter, Deflate::no, head).state, FrameState::incomplete) << row.what;
  }
}

TEST(Frame, WritesEachLengthInItsShortestForm) {
  EXPECT_EQ(make_frame(Opcode::text, "Hello"), bytes({0x81, 0x05}) + "Hello");
  EXPECT_EQ(make_frame(Opcode::text, std::string(126, 'x')).substr(0, 4), bytes({0x81, 126, 0, 126}));
  EXPECT_EQ(make_frame(Opcode::text, std::string(65'535, 'x')).substr(0, 4), bytes({0x81, 126, 0xFF, 0xFF}));
  EXPECT_EQ(make_frame(Opcode::text, std::string(65'536, 'x')).substr(0, 10),
            bytes({0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
}

TEST(Frame, TellsThePayloadOfWhatItWrote) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U}) {
    const std::string payload(size, 'x');
    EXPECT_EQ(payload_of(make_frame(Opcode::text, payload)), payload) << size;
  }
  EXPECT_EQ(make_deflated_frame(Opcode::text, "Hello"), bytes({0xC1, 0x05}) + "Hello");
}

TEST(Frame, CutsACloseReasonBetweenCharacters) {
  std::string reason(122, 'x');
  reason += "\xC3\xA4";
  const std::string frame = make_close_frame(CloseCode::policy_violation, reason);
  EXPECT_EQ(frame.size(), 2U + 2 + 122);
  EXPECT_EQ(frame.substr(0, 4), bytes({0x88, 124, 0x03, 0xF0}));
}

TEST(CloseCode, WhatAPeerMaySend) {
  for (const unsigned code : {1000U, 1001U, 1003U, 1007U, 1011U, 1014U, 3000U, 4999U})
    EXPECT_TRUE(is_valid_close_code(code)) << code;
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 2999U, 5000U, 65535U}) {
    EXPECT_FALSE(is_valid_close_code(code)) << code;
  }
}

}  // namespace
}  // namespace carillon::channels::websocket
