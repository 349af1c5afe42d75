// The suite's own cryptography against the known answers of proto/vectors.
#include "tests/conformance/crypto.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace wormhole::conformance {
namespace {

std::string Bytes(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return out;
}

TEST(Crypto, KnownAnswers) {
  StartCrypto();
  std::ifstream file("proto/vectors/wormhole_sync_1_kat.json");
  ASSERT_TRUE(file.good());
  size_t cases = 0;
  const nlohmann::json all = nlohmann::json::parse(file);
  for (const auto& known : all["cases"]) {
    const auto bytes = [&](const char* name) { return Bytes(known[name].get<std::string>()); };
    const std::string words = known["words"], id = known["channel_id"], app_id = known["app_id"];
    Handshake h{.ci = ChannelInfo(app_id, static_cast<uint32_t>(std::stoul(id))),
                .sid = bytes("sid")};
    EXPECT_EQ(h.ci, bytes("CI"));
    const std::string generator = GeneratorOf(words, h.ci, h.sid);
    EXPECT_EQ(generator, bytes("generator"));
    h.share_i = Multiply(bytes("y_i"), generator).value_or("");
    h.share_r = Multiply(bytes("y_r"), generator).value_or("");
    EXPECT_EQ(h.share_i, bytes("Y_i"));
    EXPECT_EQ(h.share_r, bytes("Y_r"));
    h.ad_i = AssociatedData(Role::kInitiator, "\x01", SideOf(bytes("token_i")));
    h.ad_r = AssociatedData(Role::kReceiver, "\x01", SideOf(bytes("token_r")));
    EXPECT_EQ(h.ad_i, bytes("AD_i"));
    EXPECT_EQ(h.ad_r, bytes("AD_r"));
    const std::string k = Multiply(bytes("y_i"), h.share_r).value_or("");
    EXPECT_EQ(k, bytes("K"));
    const Keys keys(h, k);
    EXPECT_EQ(keys.th(), bytes("TH"));
    EXPECT_EQ(keys.prk(), bytes("PRK"));
    EXPECT_EQ(keys.Tag(Role::kInitiator), bytes("T_i"));
    EXPECT_EQ(keys.Tag(Role::kReceiver), bytes("T_r"));
    for (const auto& sealed : known["sealed"]) {
      if (!sealed.contains("box") || !sealed.contains("plaintext")) continue;
      const Role role = sealed["role"] == "initiator" ? Role::kInitiator : Role::kReceiver;
      const std::string plaintext = Bytes(sealed["plaintext"].get<std::string>());
      const std::string box = keys.Seal(role, sealed["n"].get<uint64_t>(), plaintext);
      EXPECT_EQ(box, Bytes(sealed["box"].get<std::string>()));
      EXPECT_EQ(keys.Open(role, sealed["n"].get<uint64_t>(), box), plaintext);
      ++cases;
    }
  }
  EXPECT_GT(cases, 0u);
}

}  // namespace
}  // namespace wormhole::conformance
