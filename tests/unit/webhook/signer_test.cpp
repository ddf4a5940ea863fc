#include "channels/webhook/signer.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <stdexcept>

#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

// The contract's check, and the published one of the same message for a signing key.
const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string signing_key =
    "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const std::string public_key = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const std::string message = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t timestamp_s = 1'614'265'330;
constexpr hub::UnixMs now = timestamp_s * 1000;
const std::string body = R"({"test": 2432232314})";
const std::string v1 = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const std::string v1a = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

/// OpenSSL's own word on a v1a signature.
bool verifies(const std::string& whpk, const std::string& signature, std::string_view text) {
  if (!signature.starts_with("v1a,")) return false;
  const std::string base64 = signature.substr(4);
  std::vector<unsigned char> bytes(base64.size() / 4 * 3);
  EXPECT_EQ(EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(base64.data()),
                            static_cast<int>(base64.size())),
            static_cast<int>(bytes.size()));
  bytes.resize(64);
  const auto raw = hub::public_key_bytes(whpk);
  EVP_PKEY* key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw->data(), raw->size());
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  const bool good = EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
                    EVP_DigestVerify(context, bytes.data(), bytes.size(),
                                     reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  return good;
}

std::string signature(const std::string& by, std::string_view id, std::int64_t at_s, std::string_view text) {
  return Signer({{by, {}, {}}}).signature(id, at_s, text, now);
}

TEST(Signer, MakesTheCheckValueOfTheContract) {
  EXPECT_EQ(Signer({{secret, {}, {}}}).signature(message, timestamp_s, body, now), v1);
}

TEST(Signer, MakesThePublishedSignatureOfASigningKey) {
  EXPECT_EQ(Signer({{secret, signing_key, {}}}).signature(message, timestamp_s, body, now), v1a);
}

TEST(Signer, SignsAnyNumberOfTimes) {
  Signer signer({{secret, {}, {}}});
  Signer keyed({{secret, signing_key, {}}});
  const std::string large(300'000, 'x');
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(signer.signature(message, timestamp_s, body, now), v1);
    EXPECT_EQ(signer.signature(message, i, large, now), signature(secret, message, i, large));
    EXPECT_EQ(signer.signature("", -1, "", now), signature(secret, "", -1, ""));
    EXPECT_EQ(keyed.signature(message, timestamp_s, body, now), v1a);
    EXPECT_TRUE(verifies(public_key, keyed.signature("m", i, large, now), "m." + std::to_string(i) + "." + large));
  }
}

TEST(Signer, EveryPartIsSigned) {
  const std::string other = hub::make_webhook_secret();
  const hub::SigningKey key = hub::make_signing_key();
  for (const std::string& whsk : {std::string(), key.secret}) {
    Signer signer({{other, whsk, {}}});
    const std::string signed_text = signer.signature("msg_a", 1, "body", now);
    EXPECT_NE(signer.signature("msg_b", 1, "body", now), signed_text);
    EXPECT_NE(signer.signature("msg_a", 2, "body", now), signed_text);
    EXPECT_NE(signer.signature("msg_a", 1, "Body", now), signed_text);
    EXPECT_EQ(signer.signature("msg_a", 1, "body", now), signed_text);
  }
  const std::string signed_text = Signer({{other, {}, {}}}).signature("msg_a", 1, "body", now);
  EXPECT_NE(Signer({{hub::make_webhook_secret(), {}, {}}}).signature("msg_a", 1, "body", now), signed_text);
}

TEST(Signer, ASigningKeysPublicKeyChecks) {
  const hub::SigningKey key = hub::make_signing_key();
  const std::string signed_text = Signer({{secret, key.secret, {}}}).signature("msg_a", 17, "body", now);
  EXPECT_TRUE(verifies(key.public_key, signed_text, "msg_a.17.body"));
  EXPECT_FALSE(verifies(key.public_key, signed_text, "msg_a.17.bodY"));
  EXPECT_FALSE(verifies(hub::make_signing_key().public_key, signed_text, "msg_a.17.body"));
}

TEST(Signer, ARotatedSecretSignsBehindTheNewOneUntilItsEnd) {
  const std::string newer = hub::make_webhook_secret();
  Signer signer({{newer, {}, {}}, {secret, {}, now + 1000}});
  const std::string by_newer = signature(newer, message, timestamp_s, body);
  EXPECT_EQ(signer.signature(message, timestamp_s, body, now), by_newer + " " + v1);
  EXPECT_EQ(signer.signature(message, timestamp_s, body, now + 999), by_newer + " " + v1);
  EXPECT_EQ(signer.signature(message, timestamp_s, body, now + 1000), by_newer);
}

TEST(Signer, EachGenerationSignsInItsOwnWay) {
  Signer signer({{secret, signing_key, {}}, {secret, {}, now + 1}});
  EXPECT_EQ(signer.signature(message, timestamp_s, body, now), v1a + " " + v1);
  EXPECT_EQ(signer.signature(message, timestamp_s, body, now + 1), v1a);
}

TEST(Signer, MayMove) {
  Signer first({{secret, {}, {}}});
  Signer second(std::move(first));
  EXPECT_EQ(second.signature(message, timestamp_s, body, now), v1);
  Signer third({{secret, signing_key, {}}});
  third = std::move(second);
  EXPECT_EQ(third.signature(message, timestamp_s, body, now), v1);
  EXPECT_TRUE(third.legacy_signature(body).starts_with("sha256="));
}

TEST(Signer, TheLegacySignatureIsOfTheBodyByTheTextOfTheNewestSecret) {
  // printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
  const std::string wanted = "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c";
  EXPECT_EQ(Signer({{secret, {}, {}}}).legacy_signature(body), wanted);
  Signer rotated({{secret, signing_key, {}}, {hub::make_webhook_secret(), {}, now + 1}});
  EXPECT_EQ(rotated.legacy_signature(body), wanted);
  EXPECT_EQ(rotated.legacy_signature(body), wanted);
}

TEST(Signer, ThrowsForWhatIsNoSecretWithoutSayingIt) {
  const std::string wrong = "whsec_not a secret";
  using Secrets = std::vector<hub::WebhookSecret>;
  for (const Secrets& secrets : {Secrets{}, Secrets{{wrong, {}, {}}}, Secrets{{secret, wrong, {}}},
                                 Secrets{{secret, {}, {}}, {wrong, {}, now}}}) {
    try {
      const Signer signer(secrets);
      FAIL();
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(std::string(error.what()).find(wrong), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace carillon::channels::webhook
