#include "net/tls_transport.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "tests/unit/net/tls_fixture.h"

namespace carillon::net {
namespace {

using Status = Transport::Status;

iovec piece_of(const std::string& text) { return {const_cast<char*>(text.data()), text.size()}; }

/// Text in which a byte that is lost, repeated or moved shows.
std::string some_text(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ",";
  text.resize(bytes);
  return text;
}

/// Long texts are not shown whole, but where they part.
testing::AssertionResult same(const std::string& heard, const std::string& said) {
  if (heard == said) return testing::AssertionSuccess();
  const auto part = std::mismatch(heard.begin(), heard.end(), said.begin(), said.end()).first - heard.begin();
  return testing::AssertionFailure() << heard.size() << " bytes were heard of " << said.size() << ", alike up to "
                                     << part;
}

const TlsContext& context() {
  static const TestCertificate made;
  static const TlsContext context(made.files);
  return context;
}

class TlsTransportTest : public testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Versions, TlsTransportTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) { return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(TlsTransportTest, CarriesBytesBothWays) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  std::string heard;
  pair.client_writes("hello", heard);
  EXPECT_EQ(pair.read_all(heard), Status::would_block);
  EXPECT_EQ(heard, "hello");

  const std::string answer = "and hello to you";
  const iovec piece = piece_of(answer);
  const auto result = pair.server().write(&piece, 1);
  EXPECT_EQ(result.status, Status::done);
  EXPECT_EQ(result.bytes, answer.size());
  EXPECT_EQ(pair.client_reads(), answer);
}

/// The bytes of one side go over to the other one at a time: handshake, data and end.
TEST_P(TlsTransportTest, TakesAStreamThatComesByteByByte) {
  TlsPair pair(context(), GetParam());
  // The client writes to memory, and the test carries each byte.
  BIO* const to_client = BIO_new(BIO_s_mem());
  BIO* const from_client = BIO_new(BIO_s_mem());
  SSL_set_bio(pair.client(), to_client, from_client);
  std::string heard;
  const auto carry = [&] {
    char byte = 0;
    while (BIO_read(from_client, &byte, 1) == 1) {
      ASSERT_EQ(send(pair.client_fd(), &byte, 1, 0), 1);
      const Status status = pair.read_all(heard);
      ASSERT_TRUE(status == Status::would_block || status == Status::ended);
    }
    std::array<char, 4096> piece;
    ssize_t got = 0;
    while ((got = recv(pair.client_fd(), piece.data(), piece.size(), 0)) > 0) {
      for (ssize_t i = 0; i < got; ++i) BIO_write(to_client, &piece[static_cast<std::size_t>(i)], 1);
    }
  };
  for (int i = 0; i < 10 && SSL_do_handshake(pair.client()) != 1; ++i) carry();
  carry();
  ASSERT_EQ(SSL_is_init_finished(pair.client()), 1);
  std::string said;
  for (const std::size_t bytes : {1U, 2U, 100U, 3000U}) {
    const std::string text = some_text(bytes);
    said += text;
    ASSERT_EQ(SSL_write(pair.client(), text.data(), static_cast<int>(text.size())), static_cast<int>(text.size()));
    carry();
  }
  EXPECT_TRUE(same(heard, said));
  SSL_shutdown(pair.client());
  carry();
  EXPECT_EQ(pair.read_all(heard), Status::ended);
}

/// One edge brings it all: what OpenSSL holds is given without another.
TEST_P(TlsTransportTest, ReadsDryWhatCameInManyRecordsAtOnce) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  std::string said;
  std::string heard;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string text = some_text(1 + i * 7 % 500);
    said += text;
    pair.client_writes(text, heard);
  }
  ASSERT_EQ(heard, "");  // all of it fits into the kernel's buffers
  EXPECT_EQ(pair.read_all(heard), Status::would_block);
  EXPECT_TRUE(same(heard, said));
}

TEST_P(TlsTransportTest, ReadsALargeRecordThroughASmallRoom) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  std::string heard;
  const std::string said = some_text(16'384);
  pair.client_writes(said, heard);
  std::array<char, 7> room;
  while (true) {
    const auto result = pair.server().read(room.data(), room.size());
    if (result.status != Status::done) break;
    heard.append(room.data(), result.bytes);
    // No edge will tell of the rest.
    if (heard.size() < said.size()) {
      ASSERT_TRUE(pair.server().has_buffered());
    }
  }
  EXPECT_TRUE(same(heard, said));
}

TEST_P(TlsTransportTest, SmallPiecesLeaveInOneRecord) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  pair.client_reads();  // the tickets
  const std::vector<std::string> texts{"one,", "two,", "", "three"};
  std::vector<iovec> pieces;
  for (const auto& text : texts) pieces.push_back(piece_of(text));
  ASSERT_EQ(pair.server().write(pieces.data(), pieces.size()).bytes, 13U);
  std::array<char, 64> room;
  EXPECT_EQ(SSL_read(pair.client(), room.data(), room.size()), 13);  // SSL_read gives one record at a time
  EXPECT_EQ(std::string(room.data(), 13), "one,two,three");
}

/// The kernel takes little: writes stop anywhere, and go on with the same bytes.
TEST_P(TlsTransportTest, GoesOnWhereTheKernelStopped) {
  TlsPair pair(context(), GetParam(), 4096);
  pair.shake_hands();
  std::vector<std::string> texts;
  std::string said;
  for (std::size_t i = 0; i < 400; ++i) {
    texts.push_back(some_text(i % 5 == 0 ? 20'000 + i : 1 + i % 90));
    said += texts.back();
  }
  std::string heard;
  std::size_t first = 0;
  std::size_t offset = 0;
  int blocked = 0;
  while (first < texts.size()) {
    // Copied each time to another place, as a connection's chunks may be.
    const std::vector<std::string> offered(
        texts.begin() + static_cast<std::ptrdiff_t>(first),
        texts.begin() + static_cast<std::ptrdiff_t>(std::min(first + 64, texts.size())));
    std::vector<iovec> pieces;
    for (const auto& text : offered) pieces.push_back(piece_of(text));
    pieces[0].iov_base = static_cast<char*>(pieces[0].iov_base) + offset;
    pieces[0].iov_len -= offset;
    const auto result = pair.server().write(pieces.data(), pieces.size());
    ASSERT_TRUE(result.status == Status::done || result.status == Status::would_block);
    offset += result.bytes;
    while (first < texts.size() && offset >= texts[first].size()) offset -= texts[first++].size();
    if (!pair.server().push()) ++blocked;
    heard += pair.client_reads();
  }
  while (!pair.server().push()) heard += pair.client_reads();
  heard += pair.client_reads();
  EXPECT_TRUE(same(heard, said));
  EXPECT_GT(blocked, 10);
}

TEST_P(TlsTransportTest, EndsWithCloseNotifyAndAnswersOne) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  pair.server().shutdown_write();
  std::array<char, 8> room;
  EXPECT_EQ(SSL_read(pair.client(), room.data(), room.size()), 0);
  EXPECT_EQ(SSL_get_shutdown(pair.client()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);

  TlsPair other(context(), GetParam());
  other.shake_hands();
  SSL_shutdown(other.client());
  std::string heard;
  EXPECT_EQ(other.read_all(heard), Status::ended);
  other.drop_server();
  EXPECT_EQ(SSL_shutdown(other.client()), 1) << "its close_notify is answered";
}

/// There is no room for close_notify: it follows when there is, behind what was written before.
TEST_P(TlsTransportTest, SaysCloseNotifyWhenThereIsRoomForIt) {
  TlsPair pair(context(), GetParam(), 4096);
  pair.shake_hands();
  const std::string text = some_text(1000);
  const iovec piece = piece_of(text);
  std::size_t written = 0;
  while (pair.server().push()) written += pair.server().write(&piece, 1).bytes;
  EXPECT_EQ(pair.server().write(&piece, 1).status, Status::would_block);
  pair.server().shutdown_write();
  std::string heard;
  while (!pair.server().push()) heard += pair.client_reads();
  heard += pair.client_reads();
  EXPECT_EQ(heard.size(), written);
  EXPECT_EQ(SSL_get_shutdown(pair.client()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
  char byte = 0;
  EXPECT_EQ(recv(pair.client_fd(), &byte, 1, 0), 0) << "the stream ends behind it";
}

/// A client that asks for a new key again and again and reads no answer is not kept account of for ever.
TEST(TlsTransport, WhatIsHeldForAClientIsBounded) {
  TlsPair pair(context(), TLS1_3_VERSION, 4096);
  pair.shake_hands();
  std::string at_server;
  Status status = Status::would_block;
  int asked = 0;
  for (; asked < 100'000 && status == Status::would_block; ++asked) {
    ASSERT_EQ(SSL_key_update(pair.client(), SSL_KEY_UPDATE_REQUESTED), 1);
    pair.client_writes("x", at_server);
    status = pair.read_all(at_server);
  }
  EXPECT_EQ(status, Status::failed);
  EXPECT_GT(asked, 1000);
}

TEST_P(TlsTransportTest, AnEndWithoutCloseNotifyIsAnEnd) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  std::string heard;
  pair.client_writes("the last words", heard);
  shutdown(pair.client_fd(), SHUT_WR);
  EXPECT_EQ(pair.read_all(heard), Status::would_block);
  EXPECT_EQ(heard, "the last words");
  EXPECT_EQ(pair.read_all(heard), Status::ended) << "a connection that was told of the end reads for it";
  // The other direction still works.
  const std::string answer = "heard";
  const iovec piece = piece_of(answer);
  EXPECT_EQ(pair.server().write(&piece, 1).status, Status::done);
  EXPECT_EQ(pair.client_reads(), answer);
}

TEST_P(TlsTransportTest, WritesToOneWhoHasGoneFail) {
  TlsPair pair(context(), GetParam());
  pair.shake_hands();
  pair.hang_up();
  const std::string text = some_text(100);
  const iovec piece = piece_of(text);
  EXPECT_EQ(pair.server().write(&piece, 1).status, Status::failed);
  EXPECT_EQ(pair.server().write(&piece, 1).status, Status::failed);
}

TEST(TlsTransport, AKeyUpdateInTheMidstOfAWriteHarmsNothing) {
  TlsPair pair(context(), TLS1_3_VERSION, 4096);
  pair.shake_hands();
  const std::string said = some_text(300'000);
  std::string heard;
  std::string from_client;
  std::string at_server;
  std::size_t sent = 0;
  for (int round = 0; sent < said.size(); ++round) {
    const std::string rest = said.substr(sent);
    const iovec piece = piece_of(rest);
    const auto result = pair.server().write(&piece, 1);
    ASSERT_NE(result.status, Status::failed) << "round " << round;
    sent += result.bytes;
    if (round % 3 == 0 && SSL_key_update(pair.client(), SSL_KEY_UPDATE_REQUESTED) == 1) {
      from_client += "ping";
      pair.client_writes("ping", at_server);
    }
    ASSERT_EQ(pair.read_all(at_server), Status::would_block) << "round " << round;
    // Only a little, so that writes stay half done while keys change.
    std::array<char, 2000> room;
    std::size_t got = 0;
    if (SSL_read_ex(pair.client(), room.data(), room.size(), &got) == 1) heard.append(room.data(), got);
  }
  while (!pair.server().push()) heard += pair.client_reads();
  ASSERT_EQ(pair.read_all(at_server), Status::would_block);
  heard += pair.client_reads();
  EXPECT_TRUE(same(heard, said));
  EXPECT_EQ(at_server, from_client);
}

TEST(TlsTransport, NothingCanBeWrittenBeforeTheHandshakeIsDone) {
  TlsPair pair(context());
  const std::string text = "too early";
  const iovec piece = piece_of(text);
  EXPECT_EQ(pair.server().write(&piece, 1).status, Status::failed);
}

TEST(TlsTransport, OldVersionsAreRefused) {
  TlsPair pair(context(), TLS1_1_VERSION);
  SSL_set_cipher_list(pair.client(), "ALL:@SECLEVEL=0");
  std::array<char, 8> room;
  SSL_do_handshake(pair.client());
  EXPECT_EQ(pair.server().read(room.data(), room.size()).status, Status::failed);
  EXPECT_EQ(SSL_do_handshake(pair.client()), -1);
  EXPECT_EQ(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
  ERR_clear_error();
}

TEST(TlsTransport, WhoSpeaksHttpWithoutTlsIsToldSo) {
  TlsPair pair(context());
  const std::string request = "POST /api/v1/jobs HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n{}";
  ASSERT_EQ(send(pair.client_fd(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
  std::string heard;
  EXPECT_EQ(pair.read_all(heard), Status::ended);
  pair.drop_server();
  std::array<char, 1024> room;
  const ssize_t got = recv(pair.client_fd(), room.data(), room.size(), 0);
  ASSERT_GT(got, 0);
  const std::string answer(room.data(), static_cast<std::size_t>(got));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  const std::size_t body = answer.find("\r\n\r\n") + 4;
  EXPECT_NE(answer.find("Content-Length: " + std::to_string(answer.size() - body) + "\r\n"), std::string::npos);
  EXPECT_EQ(recv(pair.client_fd(), room.data(), room.size(), 0), 0);
}

TEST(TlsTransport, NonsenseIsRefused) {
  TlsPair pair(context());
  const std::string nonsense(100, '\x01');
  ASSERT_EQ(send(pair.client_fd(), nonsense.data(), nonsense.size(), 0), 100);
  std::string heard;
  EXPECT_EQ(pair.read_all(heard), Status::failed);
}

/// A client's choice of what is spoken inside, as ALPN writes it; the alert it gets, or 0.
int alert_for(const std::string& protocols) {
  TlsPair pair(context());
  SSL_set_alpn_protos(pair.client(), reinterpret_cast<const unsigned char*>(protocols.data()),
                      static_cast<unsigned>(protocols.size()));
  std::array<char, 8> room;
  for (int i = 0; i < 10; ++i) {
    if (SSL_do_handshake(pair.client()) == 1) return 0;
    if (SSL_get_error(pair.client(), -1) == SSL_ERROR_SSL) break;
    pair.server().read(room.data(), room.size());
  }
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  return reason - SSL_AD_REASON_OFFSET;
}

TEST(TlsTransport, AClientThatOffersOnlyOtherProtocolsIsToldSo) {
  EXPECT_EQ(alert_for("\x02h2\x08http/1.1"), 0);
  EXPECT_EQ(alert_for("\x02h2"), TLS1_AD_NO_APPLICATION_PROTOCOL);
}

// --- on a connection -------------------------------------------------------------------------------------------------

/// Says what a test has it say.
struct Scripted final : Protocol {
  std::function<std::size_t(std::string_view)> bytes = [](std::string_view all) { return all.size(); };
  std::function<void()> end = [] {};
  std::function<void()> gone = [] {};
  std::size_t on_bytes(std::string_view all) override { return bytes(all); }
  void on_end_of_input() override { end(); }
  void on_time() override {}
  void on_gone() noexcept override { gone(); }
};

/// A hub's side on a loop of its own, with small buffers; the test is a client that blocks.
class TlsConnectionTest : public testing::Test {
 protected:
  TlsConnectionTest() : pair_(context(), TLS1_3_VERSION, 4096), table_(loop_) {
    int flags = fcntl(pair_.client_fd(), F_GETFL);
    fcntl(pair_.client_fd(), F_SETFL, flags & ~O_NONBLOCK);
  }
  ~TlsConnectionTest() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
  }

  void serve(std::function<void(Connection&, Scripted&)> script) {
    loop_.post([this, script = std::move(script)] {
      table_.add(pair_.take_server(), [&](Connection& connection) {
        auto protocol = std::make_unique<Scripted>();
        script(connection, *protocol);
        return protocol;
      });
    });
    thread_ = std::thread([this] { loop_.run(); });
    ASSERT_EQ(SSL_do_handshake(pair_.client()), 1);
  }

  std::string read_to_the_end() {
    std::string all;
    std::array<char, 3000> room;
    std::size_t got = 0;
    while (SSL_read_ex(pair_.client(), room.data(), room.size(), &got) == 1) all.append(room.data(), got);
    EXPECT_EQ(SSL_get_shutdown(pair_.client()) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    return all;
  }

  TlsPair pair_;
  EventLoop loop_;
  ConnectionTable table_;
  std::thread thread_;
};

/// What a record has taken leaves, and so does the rest of the message it ends in.
TEST_F(TlsConnectionTest, WhatIsDiscardedLeavesASoundStream) {
  std::vector<std::string> messages;
  for (int i = 0; i < 2000; ++i) messages.push_back("<" + some_text(static_cast<std::size_t>(i % 700)) + ">");
  serve([&](Connection& connection, Scripted& protocol) {
    protocol.bytes = [&](std::string_view all) {
      if (all.back() == 'w') {
        for (const auto& message : messages) connection.write(message);
      } else {
        const std::size_t before = connection.unsent_bytes();
        connection.discard_unsent();
        EXPECT_LT(connection.unsent_bytes(), before);
        connection.write(std::string("<the end>"));
        connection.end(10'000);
      }
      return all.size();
    };
  });
  ASSERT_EQ(SSL_write(pair_.client(), "w", 1), 1);
  char first = 0;
  ASSERT_EQ(SSL_read(pair_.client(), &first, 1), 1);
  ASSERT_EQ(SSL_write(pair_.client(), "d", 1), 1);
  const std::string heard = first + read_to_the_end();

  std::string expected;
  std::size_t i = 0;
  while (i < messages.size() && heard.compare(expected.size(), messages[i].size(), messages[i]) == 0 &&
         expected.size() + messages[i].size() <= heard.size()) {
    expected += messages[i++];
  }
  EXPECT_LT(i, messages.size());
  EXPECT_GT(i, 0U);
  EXPECT_EQ(heard.substr(expected.size()), "<the end>");
}

/// The last record is still held when all has been handed over; the connection does not go before it has left.
TEST_F(TlsConnectionTest, WhoHasSaidAllIsAnsweredToTheEnd) {
  const std::string answer = some_text(6 * 16'384);
  serve([&](Connection& connection, Scripted& protocol) {
    protocol.end = [&] {
      connection.write(answer);
      connection.end(10'000);
    };
  });
  SSL_shutdown(pair_.client());
  EXPECT_TRUE(same(read_to_the_end(), answer));
}

/// Both directions are full at once; nobody waits for the other forever.
TEST_F(TlsConnectionTest, EchoesMoreThanBothBuffersHold) {
  serve([](Connection& connection, Scripted& protocol) {
    protocol.bytes = [&connection](std::string_view all) {
      connection.write(std::string(all));
      return all.size();
    };
    protocol.end = [&connection] { connection.end(10'000); };
  });
  const std::string said = some_text(2'000'000);
  std::string heard;
  fcntl(pair_.client_fd(), F_SETFL, O_NONBLOCK);
  std::string_view rest = said;
  int updates = 0;
  while (heard.size() < said.size()) {
    std::size_t done = 0;
    if (!rest.empty() &&
        SSL_write_ex(pair_.client(), rest.data(), std::min<std::size_t>(rest.size(), 5000), &done) == 1) {
      rest.remove_prefix(done);
      // Keys change while both directions are at work.
      if (++updates % 20 == 0) SSL_key_update(pair_.client(), SSL_KEY_UPDATE_REQUESTED);
    }
    std::array<char, 4000> room;
    if (SSL_read_ex(pair_.client(), room.data(), room.size(), &done) == 1) heard.append(room.data(), done);
    ASSERT_EQ(SSL_get_shutdown(pair_.client()) & SSL_RECEIVED_SHUTDOWN, 0);
  }
  EXPECT_TRUE(same(heard, said));
}

}  // namespace
}  // namespace carillon::net
