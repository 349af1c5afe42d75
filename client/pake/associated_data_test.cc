#include "client/pake/associated_data.h"

#include <string>
#include <vector>

#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"
#include "proto/wire/lv.h"

namespace wormhole::pake {
namespace {

using namespace std::string_literals;  // NOLINT: only for ""s
using vectors::Hex;
using vectors::Unhex;

constexpr std::string_view kP = "wormhole-sync/1";
const wire::Side kOwn(16, 'o');
const wire::Side kPeer(16, 'p');

TEST(AssociatedDataTest, KnownAnswers) {
  const nlohmann::json file = vectors::Load("wormhole_sync_1_kat.json");
  ASSERT_EQ(file["cases"].size(), 2u);
  for (const nlohmann::json& c : file["cases"]) {
    const uint64_t channel_id = std::stoull(c.value("channel_id", ""));
    EXPECT_EQ(Hex(ChannelInfo(c.value("app_id", ""), channel_id)), c.value("CI", ""));
    const wire::Side side_i = wire::SideFromToken(Unhex(c["token_i"])).value();
    const wire::Side side_r = wire::SideFromToken(Unhex(c["token_r"])).value();
    EXPECT_EQ(Hex(side_i), c.value("side_i", ""));
    EXPECT_EQ(Hex(side_r), c.value("side_r", ""));
    const std::string ad_i = InitiatorAd(kSupportedVersions, side_i);
    EXPECT_EQ(Hex(ad_i), c.value("AD_i", ""));
    EXPECT_EQ(Hex(ReceiverAd(1, side_r)), c.value("AD_r", ""));
    EXPECT_EQ(ParseInitiatorAd(ad_i, side_r).value().side, side_i);
    EXPECT_EQ(ParseReceiverAd(Unhex(c["AD_r"]), "\x01", side_i).value().side, side_r);
  }
}

TEST(AssociatedDataTest, ReadsWhatIsBuilt) {
  const auto i = ParseInitiatorAd(InitiatorAd("\x01\x02\xff", kPeer), kOwn);
  ASSERT_TRUE(i.ok()) << i.status();
  EXPECT_EQ(i->versions, "\x01\x02\xff");
  EXPECT_EQ(i->side, kPeer);
  const auto r = ParseReceiverAd(ReceiverAd(0xff, kPeer), "\x01\xff", kOwn);
  ASSERT_TRUE(r.ok()) << r.status();
  EXPECT_EQ(r->version, 0xff);
  EXPECT_EQ(r->side, kPeer);
}

TEST(AssociatedDataTest, RefusesWrongInitiatorData) {
  const std::string good = InitiatorAd("\x01", kPeer);
  ASSERT_TRUE(ParseInitiatorAd(good, kOwn).ok());
  const std::vector<std::string> bad = {
      "",
      good + "x",
      good.substr(0, good.size() - 1),
      wire::Lv({kP, "initiator", "\x01"}),
      wire::Lv({kP, "initiator", "\x01", kPeer, ""}),
      wire::Lv({"wormhole-sync/2", "initiator", "\x01", kPeer}),
      wire::Lv({kP, "receiver", "\x01", kPeer}),
      wire::Lv({kP, "Initiator", "\x01", kPeer}),
      wire::Lv({kP, "initiator", "", kPeer}),
      wire::Lv({kP, "initiator", "\x02\x01", kPeer}),
      wire::Lv({kP, "initiator", "\x01\x01", kPeer}),
      wire::Lv({kP, "initiator", "\xff\x01", kPeer}),
      wire::Lv({kP, "initiator", "\x01", ""}),
      wire::Lv({kP, "initiator", "\x01", kPeer + "p"}),
      wire::Lv({kP, "initiator", "\x01", kPeer.substr(1)}),
      wire::Lv({kP, "initiator", "\x01", kOwn}),
      ReceiverAd(1, kPeer),  // one's own, reflected
  };
  for (const std::string& ad : bad) {
    EXPECT_EQ(ParseInitiatorAd(ad, kOwn).status().code(), absl::StatusCode::kInvalidArgument)
        << Hex(ad);
  }
}

TEST(AssociatedDataTest, RefusesWrongReceiverData) {
  const std::string good = ReceiverAd(1, kPeer);
  ASSERT_TRUE(ParseReceiverAd(good, "\x01", kOwn).ok());
  const std::vector<std::string> bad = {
      "",
      good + "x",
      good.substr(1),
      wire::Lv({kP, "initiator", "\x01", kPeer}),
      wire::Lv({kP, "receiver", "", kPeer}),
      wire::Lv({kP, "receiver", "\x02", kPeer}),
      wire::Lv({kP, "receiver", "\x01\x01", kPeer}),
      wire::Lv({kP, "receiver", "\0"s, kPeer}),
      wire::Lv({kP, "receiver", "\x01", kOwn}),
      wire::Lv({kP, "receiver", "\x01", kPeer + kPeer}),
  };
  for (const std::string& ad : bad) {
    EXPECT_EQ(ParseReceiverAd(ad, "\x01", kOwn).status().code(), absl::StatusCode::kInvalidArgument)
        << Hex(ad);
  }
}

// Of all single-byte changes, only those of the side and of a version still make sense, and they
// are read as what they are: the transcript then differs.
TEST(AssociatedDataTest, EveryByteFlipped) {
  const std::string good = InitiatorAd("\x01", kPeer);
  int accepted = 0;
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] ^= static_cast<char>(1 << bit);
      const auto fields = ParseInitiatorAd(bad, kOwn);
      if (!fields.ok()) continue;
      ++accepted;
      EXPECT_EQ(InitiatorAd(fields->versions, fields->side), bad);
    }
  }
  EXPECT_EQ(accepted, 8 * 17);
}

TEST(AssociatedDataTest, HighestCommonVersionIsChosen) {
  EXPECT_EQ(ChooseVersion("\x01").value(), 1);
  EXPECT_EQ(ChooseVersion("\x01\x02\x03").value(), 1);
  EXPECT_EQ(ChooseVersion("\x01\x02\x04", "\x01\x02\x03").value(), 2);
  EXPECT_EQ(ChooseVersion("\x02\xff", "\x01\x02\xff").value(), 0xff);
  EXPECT_EQ(ChooseVersion("\x02").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ChooseVersion("").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace wormhole::pake
