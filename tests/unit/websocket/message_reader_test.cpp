#include "channels/websocket/message_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/websocket/client_frames.h"

namespace carillon::channels::websocket {
namespace {

using Kind = Incoming::Kind;
using ::testing::ElementsAre;

/// An Incoming that may be kept.
struct Heard {
  Kind kind = Kind::nothing;
  std::string payload{};
  int code = 1000;

  friend bool operator==(const Heard&, const Heard&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Heard& heard) {
    return out << "kind " << static_cast<int>(heard.kind) << " code " << heard.code << " payload \""
               << heard.payload.substr(0, 80) << '"';
  }
};

using AllHeard = std::vector<Heard>;

Heard text(std::string payload) { return {Kind::text, std::move(payload)}; }
Heard failure(int code, std::string why) { return {Kind::failure, std::move(why), code}; }

struct Setting {
  Deflate deflate = Deflate::no;
  std::size_t message_bytes_max = 1000;
  bool takes_binary = false;
};

class Listener {
 public:
  explicit Listener(const Setting& setting)
      : desk_{.message_bytes_max = setting.message_bytes_max, .takes_binary = setting.takes_binary},
        reader_(setting.deflate) {}

  void hear(std::string_view bytes) {
    for (;;) {
      const Incoming incoming = reader_.next(bytes, desk_);
      if (incoming.kind == Kind::nothing) break;
      heard_.push_back({incoming.kind, std::string(incoming.payload), static_cast<int>(incoming.code)});
    }
    EXPECT_TRUE(bytes.empty());
  }

  const AllHeard& heard() const { return heard_; }
  MessageReader& reader() { return reader_; }

 private:
  ReadingDesk desk_;
  MessageReader reader_;
  AllHeard heard_;
};

/// What is heard when it all comes at once; the same must be heard at every cut in two, and byte by byte.
AllHeard hear(const std::string& bytes, const Setting& setting = {}) {
  Listener whole(setting);
  whole.hear(bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    Listener two(setting);
    two.hear(std::string_view(bytes).substr(0, cut));
    two.hear(std::string_view(bytes).substr(cut));
    EXPECT_EQ(two.heard(), whole.heard()) << "cut at " << cut;
  }
  Listener single(setting);
  for (const char& byte : bytes) single.hear({&byte, 1});
  EXPECT_EQ(single.heard(), whole.heard()) << "byte by byte";
  return whole.heard();
}

std::string deflated(std::string_view message) {
  Deflater deflater(6);
  const auto payload = deflater.deflate(message);
  EXPECT_TRUE(payload) << "not smaller: " << message;
  return std::string(payload.value_or(""));
}

const std::string round(40, 'o');  // what deflate makes smaller

// --- what is sound ---------------------------------------------------------------------------------------------------

TEST(MessageReader, ReadsTheExamplesOfTheRfc) {
  // RFC 6455, section 5.7, with masks where the RFC shows a server's frames.
  EXPECT_THAT(hear(bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})),
              ElementsAre(text("Hello")));
  EXPECT_THAT(hear(client_frame(first_text, "Hel") + client_frame(final_continuation, "lo")),
              ElementsAre(text("Hello")));
  EXPECT_THAT(
      hear(client_frame(ping, "Hello") + bytes({0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58})),
      ElementsAre(Heard{Kind::ping, "Hello"}, Heard{Kind::pong, "Hello"}));
}

TEST(MessageReader, ReadsMessagesOfEveryFormOfLength) {
  for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 1000U}) {
    const std::string message(size, 'x');
    EXPECT_THAT(hear(client_frame(final_text, message) + client_frame(final_text, "next")),
                ElementsAre(text(message), text("next")))
        << size;
  }
  const std::string large(70'000, 'x');
  Listener listener({.message_bytes_max = 70'000});
  listener.hear(client_frame(final_text, large));
  EXPECT_THAT(listener.heard(), ElementsAre(text(large)));
}

TEST(MessageReader, PutsFragmentsTogetherAroundControlFrames) {
  EXPECT_THAT(
      hear(client_frame(first_text, "") + client_frame(ping, "are you there?") + client_frame(continuation, "a") +
           client_frame(continuation, "") + client_frame(pong, "") + client_frame(continuation, "bc") +
           client_frame(final_continuation, "") + client_frame(final_text, "next")),
      ElementsAre(Heard{Kind::ping, "are you there?"}, Heard{Kind::pong, ""}, text("abc"), text("next")));
}

TEST(MessageReader, TakesCharactersThatAreCutBetweenFragments) {
  const std::string message = "κόσμε \xF0\x9F\x94\x94";
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    EXPECT_THAT(hear(client_frame(first_text, message.substr(0, cut)) + client_frame(ping, "") +
                     client_frame(final_continuation, message.substr(cut))),
                ElementsAre(Heard{Kind::ping, ""}, text(message)));
  }
}

TEST(MessageReader, LetsBinaryThroughWhereItIsWanted) {
  EXPECT_THAT(hear(client_frame(final_binary, "\xFF\xFE") + client_frame(0x02, "\xC0") + client_frame(0x80, "\xC0"),
                   {.takes_binary = true}),
              ElementsAre(Heard{Kind::binary, "\xFF\xFE"}, Heard{Kind::binary, "\xC0\xC0"}));
}

TEST(MessageReader, ReadsACloseFrameAndNothingBehindIt) {
  EXPECT_THAT(hear(client_frame(close_frame, bytes({0x03, 0xE9}) + "bye") + client_frame(final_text, "late")),
              ElementsAre(Heard{Kind::close, "bye", 1001}));
  EXPECT_THAT(hear(client_frame(close_frame, "")), ElementsAre(Heard{Kind::close, "", 1000}));
  EXPECT_THAT(hear(client_frame(close_frame, bytes({0x13, 0x87}))), ElementsAre(Heard{Kind::close, "", 4999}));
  EXPECT_THAT(hear(client_frame(first_text, "half a mess") + client_frame(close_frame, "")),
              ElementsAre(Heard{Kind::close, "", 1000}));
}

TEST(MessageReader, InflatesMessagesWholeOrInFragmentsBesidePlainOnes) {
  const std::string payload = deflated(round);
  std::string stream = client_frame(final_deflated_text, payload) + client_frame(final_text, "plain");
  for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
    stream += client_frame(first_deflated_text, payload.substr(0, cut)) + client_frame(ping, "") +
              client_frame(final_continuation, payload.substr(cut));
  }
  AllHeard wanted{text(round), text("plain")};
  for (std::size_t cut = 0; cut <= payload.size(); ++cut) {
    wanted.push_back({Kind::ping, ""});
    wanted.push_back(text(round));
  }
  EXPECT_EQ(hear(stream, {.deflate = Deflate::yes}), wanted);
}

// --- what is not -----------------------------------------------------------------------------------------------------

TEST(MessageReader, FailsTheConnectionForWhatIsWrong) {
  const std::string too_much(1001, 'x');
  const struct {
    const char* what;
    std::string stream;
    Heard wanted;
  } table[] = {
      {"no mask", bytes({0x81, 0x01, 'x'}), failure(1002, "Client frame without a mask")},
      {"RSV1 where nothing was agreed", client_frame(0xC1, "x"), failure(1002, "RSV bits without an extension")},
      {"RSV3", client_frame(0x91, "x"), failure(1002, "RSV bits without an extension")},
      {"an opcode that is reserved", client_frame(0x83, "x"), failure(1002, "Reserved opcode")},
      {"a control opcode that is reserved", client_frame(0x8B, ""), failure(1002, "Reserved opcode")},
      {"a fragmented ping", client_frame(0x09, ""), failure(1002, "Fragmented control frame")},
      {"a long ping", client_frame(ping, std::string(126, 'x')), failure(1002, "Control frame too long")},
      {"a long length for a short payload", bytes({0x81, 0xFE, 0, 1, 0, 0, 0, 0, 'x'}),
       failure(1002, "Length not in its shortest form")},
      {"a continuation of nothing", client_frame(continuation, "x"), failure(1002, "Continuation of nothing")},
      {"a continuation behind a whole message", client_frame(final_text, "") + client_frame(final_continuation, ""),
       failure(1002, "Continuation of nothing")},
      {"a message within a message", client_frame(first_text, "") + client_frame(final_text, ""),
       failure(1002, "New message within a message")},
      {"a binary message", client_frame(final_binary, "x"), failure(1003, "Text messages only")},
      {"too big a message", client_frame(final_text, too_much), failure(1009, "Message too big")},
      {"a message that announces too much", bytes({0x81, 0xFF, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
       failure(1009, "Message too big")},
      {"too big in fragments",
       client_frame(first_text, std::string(600, 'x')) + client_frame(continuation, std::string(401, 'x')),
       failure(1009, "Message too big")},
      {"a byte that is never UTF-8", client_frame(final_text, "abc\xFF"), failure(1007, "Text is not valid UTF-8")},
      {"a surrogate", client_frame(final_text, "\xED\xA0\x80"), failure(1007, "Text is not valid UTF-8")},
      {"half a character at the end", client_frame(final_text, "\xE2\x82"), failure(1007, "Text is not valid UTF-8")},
      {"half a character at the end of the fragments",
       client_frame(first_text, "\xE2") + client_frame(final_continuation, "\x82"),
       failure(1007, "Text is not valid UTF-8")},
      {"half a close code", client_frame(close_frame, "x"), failure(1002, "Close frame with half a code")},
      {"a close code of no one's", client_frame(close_frame, bytes({0x03, 0xED})), failure(1002, "Invalid close code")},
      {"a close reason that is not UTF-8", client_frame(close_frame, bytes({0x03, 0xE8, 0xFF})),
       failure(1007, "Close reason is not valid UTF-8")},
  };
  for (const auto& row : table) {
    AllHeard heard = hear(row.stream + client_frame(final_text, "nothing is read behind it"));
    AllHeard wanted{row.wanted};
    if (heard.size() == 2) heard.erase(heard.begin());  // the sound message that some begin with
    EXPECT_EQ(heard, wanted) << row.what;
  }
}

TEST(MessageReader, FailsTheConnectionForWhatIsWrongWithADeflatedMessage) {
  const Setting setting{.deflate = Deflate::yes};
  const std::string payload = deflated(round);
  const struct {
    const char* what;
    std::string stream;
    Heard wanted;
  } table[] = {
      {"RSV1 on a continuation",
       client_frame(first_deflated_text, payload.substr(0, 2)) + client_frame(0xC0, payload.substr(2)),
       failure(1002, "RSV1 on what begins no message")},
      {"RSV1 on a ping", client_frame(0xC9, ""), failure(1002, "RSV1 on what begins no message")},
      {"what no one deflated", client_frame(final_deflated_text, "\xFF\xFF\xFF"),
       failure(1007, "Message cannot be inflated")},
      {"a part of what was deflated", client_frame(final_deflated_text, payload.substr(0, payload.size() - 2)),
       failure(1007, "Message cannot be inflated")},
      {"what inflates to too much", client_frame(final_deflated_text, deflated(std::string(1001, 'x'))),
       failure(1009, "Message too big")},
      {"what inflates to far too much", client_frame(final_deflated_text, deflated(std::string(1'000'000, 'x'))),
       failure(1009, "Message too big")},
      {"a payload that is longer than any deflated message",
       client_frame(first_deflated_text, std::string(deflated_bytes_max(1000), '\0')) + client_frame(continuation, "x"),
       failure(1009, "Message too big")},
      {"deflated nonsense", client_frame(final_deflated_text, deflated(std::string(40, '\xFF'))),
       failure(1007, "Text is not valid UTF-8")},
      {"a binary message", client_frame(0xC2, payload), failure(1003, "Text messages only")},
  };
  for (const auto& row : table) EXPECT_EQ(hear(row.stream, setting), AllHeard{row.wanted}) << row.what;
  EXPECT_THAT(hear(client_frame(final_deflated_text, deflated(std::string(1000, 'x'))), setting),
              ElementsAre(text(std::string(1000, 'x'))));
}

TEST(MessageReader, SaysThatTextIsWrongAtTheByteThatIs) {
  const std::string frame = client_frame(first_text, "abc\xE2\x82\xACxyz\xED\xA0 and much more");
  constexpr std::size_t head_bytes = 6;
  constexpr std::size_t sound_bytes = 10;  // up to 0xED, behind which 0xA0 makes a surrogate
  Listener listener({});
  listener.hear(std::string_view(frame).substr(0, head_bytes + sound_bytes));
  EXPECT_TRUE(listener.heard().empty());
  listener.hear(std::string_view(frame).substr(head_bytes + sound_bytes, 1));
  EXPECT_THAT(listener.heard(), ElementsAre(failure(1007, "Text is not valid UTF-8")));
}

TEST(MessageReader, EmptyFragmentsComeToAnEndToo) {
  Listener listener({.message_bytes_max = 100});
  listener.hear(client_frame(first_text, ""));
  for (int i = 0; i < 100; ++i) listener.hear(client_frame(continuation, ""));
  EXPECT_TRUE(listener.heard().empty());
  listener.hear(client_frame(continuation, ""));
  EXPECT_THAT(listener.heard(), ElementsAre(failure(1009, "Message too big")));
}

TEST(MessageReader, PassesOverMessagesWhenOnlyTheEndIsWaitedFor) {
  Listener listener({.deflate = Deflate::yes});
  listener.hear(client_frame(first_text, "half a mess"));
  listener.reader().pass_over_messages();
  listener.hear(client_frame(final_continuation, "age\xFF") + client_frame(final_text, std::string(5000, 'x')) +
                client_frame(final_binary, "\xFF") + client_frame(final_deflated_text, "\xFF\xFF\xFF"));
  const std::string large = client_frame(final_text, std::string(100'000, 'x'));
  listener.hear(std::string_view(large).substr(0, 50'000));
  listener.hear(std::string_view(large).substr(50'000));
  EXPECT_TRUE(listener.heard().empty());
  listener.hear(client_frame(close_frame, bytes({0x03, 0xE8})) + "whatever");
  EXPECT_THAT(listener.heard(), ElementsAre(Heard{Kind::close, "", 1000}));
}

TEST(MessageReader, ReadersOfOneDeskDoNotDisturbOneAnother) {
  ReadingDesk desk;
  MessageReader one(Deflate::yes);
  MessageReader other(Deflate::yes);
  const std::string payload = deflated(round);
  const std::string frame =
      client_frame(first_deflated_text, payload.substr(0, 3)) + client_frame(final_continuation, payload.substr(3));
  for (std::size_t cut = 0; cut < frame.size(); ++cut) {
    std::string_view first = std::string_view(frame).substr(0, cut);
    EXPECT_EQ(one.next(first, desk).kind, Kind::nothing);
    std::string_view whole = frame;
    EXPECT_EQ(other.next(whole, desk).payload, round);
    std::string_view rest = std::string_view(frame).substr(cut);
    EXPECT_EQ(one.next(rest, desk).payload, round);
  }
}

}  // namespace
}  // namespace carillon::channels::websocket
