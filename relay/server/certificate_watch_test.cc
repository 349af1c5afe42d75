#include "relay/server/certificate_watch.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/support/temp_folder.h"

namespace wormhole::relay {
namespace {

const absl::Time kEnd = absl::FromUnixSeconds(4'000'000'000);

absl::Time Before(double days) { return kEnd - days * absl::Hours(24); }

TEST(ExpiryWarningsTest, AMonthAWeekADayAndAtTheEnd) {
  ExpiryWarnings warnings;
  std::vector<double> due;
  for (const double days : {100., 31., 30., 29., 8., 7., 6., 2., 1., 0.5, 0., -1., -100.}) {
    if (warnings.IsDue(kEnd, Before(days))) due.push_back(days);
  }
  EXPECT_EQ(due, (std::vector<double>{30, 7, 1, 0}));
}

TEST(ExpiryWarningsTest, OfSeveralTheLastAndAnewForAnotherCertificate) {
  ExpiryWarnings warnings;
  EXPECT_TRUE(warnings.IsDue(kEnd, Before(3)));
  EXPECT_FALSE(warnings.IsDue(kEnd, Before(3)));
  EXPECT_FALSE(warnings.IsDue(kEnd + absl::Hours(24 * 90), Before(3)));
  EXPECT_TRUE(warnings.IsDue(kEnd, Before(3)));
}

TEST(CertificateWatchTest, ReadsTheFileThatIsThereNow) {
  const testing::TempFolder folder;
  const std::string path = folder.File("cert.pem");
  std::vector<absl::Duration> told;
  CertificateWatch watch(path, [&](absl::Duration left) { told.push_back(left); });
  watch.Poll(absl::FromUnixSeconds(0));
  EXPECT_EQ(watch.end(), std::nullopt);
  std::filesystem::copy_file("tests/support/tls/relay.pem", path);
  watch.Poll(absl::FromUnixSeconds(0));
  ASSERT_TRUE(watch.end());
  EXPECT_TRUE(told.empty());
  watch.Poll(*watch.end() - absl::Hours(25));
  EXPECT_EQ(told, std::vector<absl::Duration>{absl::Hours(25)});
  std::ofstream(path) << "broken";
  watch.Poll(*watch.end());
  EXPECT_EQ(told.size(), 1);
}

TEST(CertificateWatchTest, WithoutACertificateThereIsNoEnd) {
  CertificateWatch watch("", [](absl::Duration) { FAIL(); });
  watch.Poll(absl::FromUnixSeconds(0));
  EXPECT_EQ(watch.end(), std::nullopt);
}

}  // namespace
}  // namespace wormhole::relay
