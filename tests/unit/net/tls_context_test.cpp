#include "net/tls_context.h"

#include <gmock/gmock.h>

#include <ctime>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "tests/unit/net/tls_fixture.h"

namespace carillon::net {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const TlsFiles& files) {
  try {
    const TlsContext context(files);
    return "";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

std::string file_of(const TestFolder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder.file(name)) << text;
  return folder.file(name);
}

TEST(TlsContext, TakesACertificateWithItsKeyAndKnowsItsTime) {
  const TestCertificate made;
  const TlsContext context(made.files);
  const std::int64_t now_s = std::time(nullptr);
  EXPECT_NEAR(static_cast<double>(context.valid_from_s()), static_cast<double>(now_s - 60), 10);
  EXPECT_EQ(context.valid_until_s() - context.valid_from_s(), 3600);
}

TEST(TlsContext, TakesOneOutOfItsTime) {
  const TestCertificate made;
  write_certificate(made.files.certificate, made.key.get(), -7200);
  EXPECT_LT(TlsContext(made.files).valid_until_s(), std::time(nullptr));
}

TEST(TlsContext, NamesTheFileThatIsNoGood) {
  const TestCertificate made;
  const std::string absent = made.folder.file("absent.pem");
  EXPECT_THAT(refusal({absent, made.files.key}), AllOf(HasSubstr(absent), HasSubstr("No such file")));
  EXPECT_THAT(refusal({made.files.certificate, absent}), AllOf(HasSubstr(absent), HasSubstr("No such file")));

  const std::string junk = file_of(made.folder, "junk.pem", "junk\n");
  EXPECT_THAT(refusal({junk, made.files.key}), AllOf(HasSubstr(junk), HasSubstr("no certificate")));
  EXPECT_THAT(refusal({made.files.certificate, junk}), AllOf(HasSubstr(junk), HasSubstr("no private key")));
  EXPECT_THAT(refusal({made.folder.file(""), made.files.key}), HasSubstr(made.folder.file("")));
}

TEST(TlsContext, RefusesAKeyThatIsNotTheCertificates) {
  const TestCertificate made;
  const TestCertificate other;
  EXPECT_THAT(refusal({made.files.certificate, other.files.key}),
              AllOf(HasSubstr(made.files.certificate), HasSubstr(other.files.key), HasSubstr("does not fit")));
}

TEST(TlsContext, RefusesAKeyUnderAPassphraseRatherThanAskForIt) {
  const TestCertificate made;
  const std::string locked = made.folder.file("locked.pem");
  write_key(locked, made.key.get(), "secret");
  EXPECT_THAT(refusal({made.files.certificate, locked}), AllOf(HasSubstr(locked), HasSubstr("encrypted")));
}

TEST(TlsContext, RefusesAChainThatIsBroken) {
  const TestCertificate made;
  std::ofstream(made.files.certificate, std::ios::app) << "-----BEGIN CERTIFICATE-----\n!!!\n"
                                                       << "-----END CERTIFICATE-----\n";
  EXPECT_THAT(refusal(made.files), AllOf(HasSubstr(made.files.certificate), HasSubstr("chain")));
}

TEST(TlsContext, TakesCertificateAndKeyFromOneFile) {
  const TestCertificate made;
  std::ofstream(made.files.certificate, std::ios::app) << std::ifstream(made.files.key).rdbuf();
  EXPECT_EQ(refusal({made.files.certificate, made.files.certificate}), "");
}

}  // namespace
}  // namespace carillon::net
