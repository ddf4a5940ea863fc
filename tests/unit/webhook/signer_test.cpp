#include "channels/webhook/signer.h"

#include <gtest/gtest.h>

#include "hub/webhook_secret.h"

namespace carillon::channels::webhook {
namespace {

TEST(Signer, MakesTheCheckValueOfTheContract) {
  EXPECT_EQ(signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                      R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signer, EveryPartIsSigned) {
  const std::string secret = hub::make_webhook_secret();
  const std::string signed_text = signature(secret, "msg_a", 1, "body");
  EXPECT_NE(signature(secret, "msg_b", 1, "body"), signed_text);
  EXPECT_NE(signature(secret, "msg_a", 2, "body"), signed_text);
  EXPECT_NE(signature(secret, "msg_a", 1, "Body"), signed_text);
  EXPECT_NE(signature(hub::make_webhook_secret(), "msg_a", 1, "body"), signed_text);
  EXPECT_EQ(signature(secret, "msg_a", 1, "body"), signed_text);
}

TEST(WebhookSecret, IsWhsecAnd24To64BytesInBase64) {
  EXPECT_EQ(hub::webhook_secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")->size(), 24U);
  EXPECT_TRUE(hub::is_webhook_secret(hub::make_webhook_secret()));
  EXPECT_EQ(hub::webhook_secret_bytes(hub::make_webhook_secret())->size(), 32U);
  EXPECT_NE(hub::make_webhook_secret(), hub::make_webhook_secret());
  EXPECT_TRUE(hub::is_webhook_secret("whsec_" + std::string(84, 'A') + "AA=="));   // 64 bytes
  EXPECT_FALSE(hub::is_webhook_secret("whsec_" + std::string(88, 'A')));           // 66
  EXPECT_FALSE(hub::is_webhook_secret("whsec_" + std::string(28, 'A') + "AAA="));  // 23
  EXPECT_FALSE(hub::is_webhook_secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(hub::is_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"));  // not whole
  EXPECT_FALSE(hub::is_webhook_secret("whsec_MfKQ9r8GKYqr wjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(hub::is_webhook_secret("whsec_MfKQ9r8GKYqr=wjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(hub::is_webhook_secret("whsec_MfKQ9r8GKYqr-_jUPD8ILPZIo2LaLaSw"));  // another alphabet
}

}  // namespace
}  // namespace carillon::channels::webhook
