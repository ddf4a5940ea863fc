#include "hub/webhook_secret.h"

#include <gtest/gtest.h>

namespace carillon::hub {
namespace {

std::string hex(const Ed25519Bytes& bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 0xFU];
  }
  return text;
}

TEST(WebhookSecret, IsWhsecAnd24To64BytesInBase64) {
  EXPECT_EQ(webhook_secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")->size(), 24U);
  EXPECT_TRUE(is_webhook_secret(make_webhook_secret()));
  EXPECT_EQ(webhook_secret_bytes(make_webhook_secret())->size(), 32U);
  EXPECT_NE(make_webhook_secret(), make_webhook_secret());
  EXPECT_TRUE(is_webhook_secret("whsec_" + std::string(84, 'A') + "AA=="));   // 64 bytes
  EXPECT_FALSE(is_webhook_secret("whsec_" + std::string(88, 'A')));           // 66
  EXPECT_FALSE(is_webhook_secret("whsec_" + std::string(4'000'000, 'A')));    // many
  EXPECT_FALSE(is_webhook_secret("whsec_" + std::string(28, 'A') + "AAA="));  // 23
  EXPECT_FALSE(is_webhook_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(is_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"));  // not whole
  EXPECT_FALSE(is_webhook_secret("whsec_MfKQ9r8GKYqr wjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(is_webhook_secret("whsec_MfKQ9r8GKYqr=wjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(is_webhook_secret("whsec_MfKQ9r8GKYqr-_jUPD8ILPZIo2LaLaSw"));  // another alphabet
}

TEST(SigningKey, MakesThePublicKeysOfRfc8032) {
  struct Vector {
    const char* secret;  ///< as whsk_…
    const char* seed;
    const char* public_key;
  };
  // Section 7.1, tests 1 to 3.
  const Vector vectors[] = {
      {"whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
       "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
      {"whsk_TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=",
       "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
      {"whsk_xaqN9D+fg3vtt0QvMdy3sWbThTUHbwlLhc46LgtEWPc=",
       "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"},
  };
  for (const auto& [secret, seed, public_key] : vectors) {
    ASSERT_TRUE(signing_key_bytes(secret)) << secret;
    EXPECT_EQ(hex(*signing_key_bytes(secret)), seed);
    EXPECT_EQ(hex(*public_key_bytes(*public_key_of(secret))), public_key);
  }
}

TEST(SigningKey, ANewOneIsASeedAndWhatItMakes) {
  const SigningKey key = make_signing_key();
  EXPECT_EQ(key.secret.size(), 5U + 44U);
  EXPECT_EQ(key.public_key.size(), 5U + 44U);
  EXPECT_TRUE(key.secret.starts_with("whsk_") && key.public_key.starts_with("whpk_"));
  EXPECT_EQ(public_key_of(key.secret), key.public_key);
  EXPECT_NE(make_signing_key().secret, key.secret);
}

TEST(SigningKey, MayCarryItsPublicKeyBehindTheSeed) {
  EXPECT_EQ(
      public_key_of("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="),
      "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
  // One bit of the public half is another's.
  EXPECT_FALSE(signing_key_bytes(
      "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvw=="));
}

TEST(SigningKey, NothingElseIsOne) {
  const SigningKey key = make_signing_key();
  for (const std::string& text : {std::string(), std::string("whsk_"), key.public_key, key.secret + "A",
                                  key.secret.substr(1), make_webhook_secret(), "whsk_" + std::string(40, 'A') + "AA==",
                                  "whsk_" + std::string(44, 'A'), "whsk_" + std::string(84, 'A') + "AAA="}) {
    EXPECT_FALSE(signing_key_bytes(text)) << text;
    EXPECT_FALSE(public_key_of(text)) << text;
  }
  for (const std::string& text : {std::string(), key.secret, "whpk_" + std::string(44, 'A'),
                                  "whpk_" + std::string(84, 'A') + "AA==", key.public_key + "===="}) {
    EXPECT_FALSE(public_key_bytes(text)) << text;
  }
}

}  // namespace
}  // namespace carillon::hub
