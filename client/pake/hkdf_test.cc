#include "client/pake/hkdf.h"

#include <string>

#include "client/pake/secret_bytes.h"
#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"

namespace wormhole::pake {
namespace {

using vectors::Unhex;

TEST(HkdfTest, Wycheproof) {
  const nlohmann::json file = vectors::Load("hkdf_sha512_wycheproof.json");
  int run = 0;
  for (const nlohmann::json& group : file["testGroups"]) {
    for (const nlohmann::json& test : group["tests"]) {
      SCOPED_TRACE(test.value("tcId", 0));
      const std::string ikm = Unhex(test["ikm"]);
      std::string okm(test.value("size", size_t{0}), '\xaa');
      const auto prk = HkdfExtract(Unhex(test["salt"]), SecretView(ikm));
      const absl::Status status = HkdfExpand(
          prk, Unhex(test["info"]), SecretSpan(reinterpret_cast<uint8_t*>(okm.data()), okm.size()));
      ++run;
      const std::string result = test.value("result", "");
      if (result == "valid") {
        EXPECT_TRUE(status.ok()) << status;
        EXPECT_EQ(vectors::Hex(okm), test.value("okm", ""));
      } else {
        EXPECT_EQ(result, "invalid");
        EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
        EXPECT_EQ(okm, std::string(okm.size(), '\xaa')) << "written in spite of the error";
      }
    }
  }
  EXPECT_EQ(run, file.value("numberOfTests", -1));
  EXPECT_EQ(run, 83);
}

TEST(HkdfTest, OutputLimit) {
  SecretBytes out = SecretBytes::Create(kMaxHkdfBytes + 1).value();
  const SecretView prk("some pseudorandom key");
  EXPECT_FALSE(HkdfExpand(prk, "info", out.span()).ok());
  EXPECT_TRUE(HkdfExpand(prk, "info", SecretSpan(out.data(SecretAccess{}), kMaxHkdfBytes)).ok());
  EXPECT_TRUE(HkdfExpand(prk, "info", SecretSpan(nullptr, 0)).ok());
}

// A shorter output is the front of a longer one, across the edges of blocks.
TEST(HkdfTest, ShorterIsTheFront) {
  const SecretView prk("some pseudorandom key");
  WipedArray<200> whole;
  ASSERT_TRUE(HkdfExpand(prk, "info", whole.span()).ok());
  for (size_t n = 0; n <= 200; ++n) {
    WipedArray<200> part;
    uint8_t* const data = part.data(SecretAccess{});
    ASSERT_TRUE(HkdfExpand(prk, "info", SecretSpan(data, n)).ok());
    EXPECT_TRUE(SecretView(data, n).Equals(SecretView(whole.data(SecretAccess{}), n))) << n;
  }
}

}  // namespace
}  // namespace wormhole::pake
