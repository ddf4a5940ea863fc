#include "storage/secret_box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "hub/store.h"

namespace carillon::storage {
namespace {

using ::testing::HasSubstr;

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string_view text_of(const SecretBox::Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class SecretBoxTest : public ::testing::Test {
 protected:
  SecretBoxTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "carillon-box-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~SecretBoxTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(file(name)) << text; }
  std::string failure_of(const std::string& name) const {
    try {
      SecretBox::with_key_in(file(name));
    } catch (const hub::StoreError& error) {
      return error.what();
    }
    return "";
  }

  std::filesystem::path folder_;
};

TEST_F(SecretBoxTest, WhatIsSealedOpensAtItsPlaceAndNowhereElse) {
  const auto box = SecretBox::with_new_key_in(file("key"));
  const auto sealed = box.seal(secret, "we_1");
  EXPECT_THAT(std::string(text_of(sealed)), ::testing::Not(HasSubstr("whsec")));
  EXPECT_EQ(box.open(text_of(sealed), "we_1"), secret);
  EXPECT_EQ(box.open(text_of(sealed), "we_2"), std::nullopt);
  EXPECT_EQ(box.open(text_of(box.seal("", "we_1")), "we_1"), "");
}

TEST_F(SecretBoxTest, NoTwoSealedTextsAreAlike) {
  const auto box = SecretBox::with_new_key_in(file("key"));
  EXPECT_NE(box.seal(secret, "we_1"), box.seal(secret, "we_1"));
}

TEST_F(SecretBoxTest, WhatWasChangedOrCutDoesNotOpen) {
  const auto box = SecretBox::with_new_key_in(file("key"));
  const auto sealed = box.seal(secret, "we_1");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    auto changed = sealed;
    changed[i] = static_cast<std::uint8_t>(changed[i] ^ 1U);
    EXPECT_EQ(box.open(text_of(changed), "we_1"), std::nullopt) << i;
    EXPECT_EQ(box.open(text_of(sealed).substr(0, i), "we_1"), std::nullopt) << i;
  }
}

TEST_F(SecretBoxTest, AnotherKeyOpensNothing) {
  const auto box = SecretBox::with_new_key_in(file("key"));
  const auto other = SecretBox::with_new_key_in(file("other"));
  EXPECT_EQ(other.open(text_of(box.seal(secret, "we_1")), "we_1"), std::nullopt);
  EXPECT_NE(box.key_id(), other.key_id());
  EXPECT_NE(box.mark(secret), other.mark(secret));
  EXPECT_EQ(box.mark(secret), box.mark(secret));
  EXPECT_NE(box.mark(secret), box.mark("whsec_x"));
}

TEST_F(SecretBoxTest, TheKeyIsInTheFileForItsOwnerAlone) {
  const auto box = SecretBox::with_new_key_in(file("key"));
  struct stat status {};
  ASSERT_EQ(stat(file("key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(status.st_size, 45) << "base64 of 32 bytes, and a line end";
  const auto again = SecretBox::with_key_in(file("key"));
  EXPECT_EQ(again.key_id(), box.key_id());
  EXPECT_EQ(again.open(text_of(box.seal(secret, "we_1")), "we_1"), secret);
  EXPECT_FALSE(std::filesystem::exists(file("key.new")));
}

TEST_F(SecretBoxTest, AKeyThatIsThereIsNeverOverwritten) {
  const auto box = SecretBox::with_new_key_in(file("key"));
  EXPECT_THROW(SecretBox::with_new_key_in(file("key")), hub::StoreError);
  EXPECT_EQ(SecretBox::with_key_in(file("key")).key_id(), box.key_id());
}

TEST_F(SecretBoxTest, WhatAStartThatWasCutOffLeftBehindIsNoObstacle) {
  write("key.new", "half a k");
  EXPECT_TRUE(SecretBox::with_new_key_in(file("key")).seals());
}

TEST_F(SecretBoxTest, AFileThatHoldsNoKeyIsNamedWithTheReason) {
  const std::string key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  write("sound", key);
  write("dos", key + "\r\n");
  EXPECT_EQ(failure_of("sound"), "");
  EXPECT_EQ(failure_of("dos"), "");
  write("empty", "");
  write("short", "AAAA");
  write("long", key + key);
  write("no_base64", std::string(43, '!') + "=");
  write("31_bytes", key.substr(0, 42) + "==");
  write("33_bytes", key.substr(0, 43) + "A");
  for (const char* name : {"empty", "short", "long", "no_base64", "31_bytes", "33_bytes"}) {
    EXPECT_THAT(failure_of(name), HasSubstr(file(name) + ": it does not hold a key")) << name;
  }
  EXPECT_THAT(failure_of("missing"), HasSubstr(file("missing") + ": No such file"));
}

TEST_F(SecretBoxTest, APlainBoxKeepsWhatItIsGiven) {
  const auto box = SecretBox::plain();
  EXPECT_FALSE(box.seals());
  EXPECT_EQ(box.key_id(), "");
  EXPECT_EQ(text_of(box.seal(secret, "we_1")), secret);
  EXPECT_EQ(box.open(secret, "we_2"), secret);
  // SHA-256 of the text: printf whsec_x | sha256sum
  EXPECT_EQ(box.mark("whsec_x")[0], 0xD0);
  EXPECT_EQ(box.mark("whsec_x")[31], 0xDE);
}

}  // namespace
}  // namespace carillon::storage
