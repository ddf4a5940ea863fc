#include "channels/websocket/deflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>
#include <string>
#include <string_view>

#include "channels/websocket/frame_deflater.h"
#include "channels/websocket/message_reader.h"
#include "tests/unit/websocket/client_frames.h"

namespace carillon::channels::websocket {
namespace {

using Outcome = Inflater::Outcome;

std::string update(std::size_t bytes) {
  std::string text = R"({"type":"job_update","job_id":"550e8400-e29b-41d4-a716-446655440000","result":[)";
  std::minstd_rand random(7);
  while (text.size() < bytes) text += "{\"page\":" + std::to_string(random()) + ",\"status\":\"fetched\"},";
  return text;
}

/// Deflated with what a client might use.
std::string deflate_raw(std::string_view message, int level, int window_bits, int flush) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, -window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(message.size() * 2 + 100, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, flush);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

struct Inflated {
  Outcome outcome;
  std::string message;
};

Inflated inflate(std::string_view payload, std::size_t bytes_max = 1 << 20) {
  Inflater inflater;
  Inflated inflated;
  inflated.outcome = inflater.inflate(payload, bytes_max, inflated.message);
  return inflated;
}

TEST(Deflate, ReadsTheExamplesOfTheRfc) {
  // RFC 7692, section 7.2.3.
  const struct {
    const char* what;
    std::string payload;
    const char* message;
  } table[] = {
      {"one block", bytes({0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00}), "Hello"},
      {"no compression", bytes({0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00}), "Hello"},
      {"a final block", bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}), "Hello"},
      {"two blocks", bytes({0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00}), "Hello"},
      {"an empty message", bytes({0x00}), ""},
      {"nothing at all", "", ""},
      {"two final blocks",
       bytes({0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00}), "HelloHello"},
  };
  for (const auto& row : table) {
    const Inflated inflated = inflate(row.payload);
    EXPECT_EQ(inflated.outcome, Outcome::done) << row.what;
    EXPECT_EQ(inflated.message, row.message) << row.what;
  }
}

TEST(Deflate, WhatIsDeflatedInflatesToTheSameAtEveryLevelAndWindow) {
  for (int level = 1; level <= 9; ++level) {
    for (int window_bits = deflate_window_bits_min; window_bits <= window_bits_max; ++window_bits) {
      Deflater deflater(level, window_bits);
      Inflater inflater;
      for (const std::size_t size : {200U, 5'000U, 100'000U, 300U}) {
        const std::string message = update(size);
        const auto payload = deflater.deflate(message);
        ASSERT_TRUE(payload);
        EXPECT_LT(payload->size(), message.size());
        std::string again;
        ASSERT_EQ(inflater.inflate(*payload, message.size(), again), Outcome::done);
        EXPECT_EQ(again, message);
      }
    }
  }
}

TEST(Deflate, AMessageOwesNothingToTheOneBefore) {
  Deflater deflater(6);
  const std::string first(*deflater.deflate(update(5'000)));
  deflater.deflate(std::string(9'000, 'x'));
  EXPECT_EQ(*deflater.deflate(update(5'000)), first);
}

TEST(Deflate, ASmallWindowIsKeptTo) {
  // A client with a window of 9 bits inflates with no more than that.
  std::string message;
  for (int i = 0; i < 20; ++i) message += update(2'000);
  Deflater deflater(9, 9);
  std::string payload(*deflater.deflate(message));
  payload += bytes({0, 0, 0xFF, 0xFF});
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, -9), Z_OK);
  std::string again(message.size(), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(payload.data());
  stream.avail_in = static_cast<uInt>(payload.size());
  stream.next_out = reinterpret_cast<Bytef*>(again.data());
  stream.avail_out = static_cast<uInt>(again.size());
  ::inflate(&stream, Z_SYNC_FLUSH);
  EXPECT_EQ(stream.avail_out, 0U);
  inflateEnd(&stream);
  EXPECT_EQ(again, message);
}

TEST(Deflate, WhatWouldNotBeSmallerIsNotDeflated) {
  Deflater deflater(6);
  EXPECT_FALSE(deflater.deflate(""));
  EXPECT_FALSE(deflater.deflate("abc"));
  std::string noise;
  std::minstd_rand random(7);
  while (noise.size() < 100'000) noise += static_cast<char>(random() >> 8);
  EXPECT_FALSE(deflater.deflate(noise));
  EXPECT_TRUE(deflater.deflate(update(1'000)));
}

TEST(Deflate, TakesWhatAnyEncoderMakesWithinTheBoundOnPayloads) {
  std::string noise;
  std::minstd_rand random(7);
  while (noise.size() < 50'000) noise += static_cast<char>(random() >> 8);
  for (const int level : {0, 1, 6, 9}) {
    for (const std::string& message : {noise, update(50'000)}) {
      std::string payload = deflate_raw(message, level, 15, Z_SYNC_FLUSH);
      payload.resize(payload.size() - 4);
      EXPECT_LE(payload.size(), deflated_bytes_max(message.size()));
      EXPECT_EQ(inflate(payload).message, message);
      EXPECT_EQ(inflate(deflate_raw(message, level, 9, Z_FINISH) + '\0').message, message);
    }
  }
}

TEST(Deflate, InflatingStopsAtTheLimit) {
  Deflater deflater(9);
  const std::string bomb(*deflater.deflate(std::string(50'000'000, '\0')));
  EXPECT_LT(bomb.size(), 60'000U);
  const Inflated inflated = inflate(bomb, 65'536);
  EXPECT_EQ(inflated.outcome, Outcome::too_big);
  EXPECT_LE(inflated.message.capacity(), 2U * 65'536);

  const std::string message = update(20'000);
  const std::string payload(*deflater.deflate(message));
  EXPECT_EQ(inflate(payload, message.size()).outcome, Outcome::done);
  EXPECT_EQ(inflate(payload, message.size() - 1).outcome, Outcome::too_big);
}

TEST(Deflate, EveryPartOfAPayloadIsRefused) {
  Deflater deflater(6);
  const std::string payload(*deflater.deflate(update(1'000)));
  for (std::size_t cut = 1; cut < payload.size(); ++cut) {
    EXPECT_EQ(inflate(payload.substr(0, cut)).outcome, Outcome::malformed) << cut;
  }
}

TEST(Deflate, AnInflaterForgetsAMessageThatFailed) {
  Deflater deflater(6);
  const std::string message = update(1'000);
  const std::string payload(*deflater.deflate(message));
  Inflater inflater;
  std::string again;
  EXPECT_EQ(inflater.inflate(payload.substr(0, 50), 10'000, again), Outcome::malformed);
  EXPECT_EQ(inflater.inflate(payload, 10, again), Outcome::too_big);
  EXPECT_EQ(inflater.inflate(payload, 10'000, again), Outcome::done);
  EXPECT_EQ(again, message);
}

TEST(FrameDeflater, DeflatesWithinItsBoundsOnly) {
  FrameDeflater deflater({.bytes_min = 500, .bytes_max = 2'000});
  EXPECT_FALSE(deflater.suits(499));
  EXPECT_TRUE(deflater.suits(500));
  EXPECT_TRUE(deflater.suits(2'000));
  EXPECT_FALSE(deflater.suits(2'001));
}

TEST(FrameDeflater, MakesAFrameThatReadsTheSame) {
  const std::string message = update(70'000);
  FrameDeflater deflater({});
  const auto frame = deflater.deflate(make_frame(Opcode::text, message));
  ASSERT_TRUE(frame);
  EXPECT_EQ(static_cast<unsigned char>((*frame)[0]), 0xC1U);
  EXPECT_LT(frame->size(), message.size());

  ReadingDesk desk{.message_bytes_max = message.size()};
  MessageReader reader(Deflate::yes);
  const std::string masked = client_frame(final_deflated_text, payload_of(*frame));
  std::string_view stream = masked;
  EXPECT_EQ(reader.next(stream, desk).payload, message);
  EXPECT_FALSE(deflater.deflate(make_frame(Opcode::text, "short")));
}

}  // namespace
}  // namespace carillon::channels::websocket
