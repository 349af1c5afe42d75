// What a peer may send and what it may not, as proto/vectors/make has computed it without a line of
// this code.
#include <optional>
#include <string>

#include "client/pake/associated_data.h"
#include "client/pake/cpace.h"
#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"

namespace wormhole::pake {
namespace {

using nlohmann::json;
using vectors::Hex;
using vectors::Load;
using vectors::Unhex;

TEST(KnownAnswersTest, Shares) {
  const json file = Load("shares.json");
  const std::string scalar = Unhex(file["own_scalar"]);
  const std::string own = Unhex(file["own_share"]);
  for (const json& c : file["cases"]) {
    const auto k = ScalarMultVfy(SecretView(scalar), Unhex(c["share"]), own);
    ASSERT_EQ(k.ok(), c["k"].is_string()) << c["name"];
    if (k.ok()) {
      EXPECT_EQ(Hex(k->view().string(SecretAccess{})), c["k"]) << c["name"];
    }
  }
}

std::optional<std::string> VersionsIn(const json& c, const wire::Side& own_side) {
  if (c["reader"] == "receiver") {
    const auto ad = ParseInitiatorAd(Unhex(c["ad"]), own_side);
    if (!ad.ok()) return std::nullopt;
    return Hex(ad->versions);
  }
  const auto ad = ParseReceiverAd(Unhex(c["ad"]), "\x01", own_side);
  if (!ad.ok()) return std::nullopt;
  return Hex(std::string(1, static_cast<char>(ad->version)));
}

TEST(KnownAnswersTest, AssociatedData) {
  const json file = Load("associated_data.json");
  const wire::Side own_side = Unhex(file["own_side"]);
  for (const json& c : file["cases"]) {
    const std::optional<std::string> versions = VersionsIn(c, own_side);
    EXPECT_EQ(versions ? json(*versions) : json(), c["versions"]) << c["reader"] << c["name"];
  }
}

}  // namespace
}  // namespace wormhole::pake
