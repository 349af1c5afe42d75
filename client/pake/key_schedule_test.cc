#include "client/pake/key_schedule.h"

#include <string>
#include <vector>

#include "client/pake/associated_data.h"
#include "client/pake/secret_bytes.h"
#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"

namespace wormhole::pake {
namespace {

using vectors::Hex;
using vectors::Unhex;

std::string HexOf(SecretView secret) { return Hex(secret.string(SecretAccess{})); }

// One case of the known answers with what its fields say. The strings back the transcript's views.
class KnownAnswers {
 public:
  explicit KnownAnswers(const nlohmann::json& c)
      : ci(Unhex(c["CI"])),
        sid(Unhex(c["sid"])),
        share_i(Unhex(c["Y_i"])),
        ad_i(Unhex(c["AD_i"])),
        share_r(Unhex(c["Y_r"])),
        ad_r(Unhex(c["AD_r"])),
        prk(Unhex(c["PRK"])) {}

  Transcript transcript() const { return {ci, sid, share_i, ad_i, share_r, ad_r}; }
  KeySchedule schedule() const {
    return KeySchedule(SecretView(prk), HashTranscript(transcript()));
  }

  const std::string ci, sid, share_i, ad_i, share_r, ad_r, prk;
};

class KeyScheduleTest : public testing::TestWithParam<int> {
 protected:
  KeyScheduleTest()
      : file_(vectors::Load("wormhole_sync_1_kat.json")), case_(file_["cases"][GetParam()]) {}

  std::string Field(const char* name) const { return case_.value(name, "missing"); }

 private:
  const nlohmann::json file_;

 protected:
  const nlohmann::json& case_;
};

TEST_P(KeyScheduleTest, BothSidesArriveAtTheKnownPrk) {
  const KnownAnswers known(case_);
  const std::string words = Field("words"), y_i = Unhex(case_["y_i"]), y_r = Unhex(case_["y_r"]);
  const Generator g = CalculateGenerator(SecretView(words), known.ci, known.sid);
  EXPECT_EQ(HexOf(g), Field("generator"));
  EXPECT_EQ(Hex(Share(g, SecretView(y_i)).value()), Field("Y_i"));
  EXPECT_EQ(Hex(Share(g, SecretView(y_r)).value()), Field("Y_r"));
  const auto k_i = ScalarMultVfy(SecretView(y_i), known.share_r, known.share_i);
  const auto k_r = ScalarMultVfy(SecretView(y_r), known.share_i, known.share_r);
  ASSERT_TRUE(k_i.ok() && k_r.ok());
  EXPECT_EQ(HexOf(*k_i), Field("K"));
  EXPECT_EQ(HexOf(*k_r), Field("K"));
  const std::string ir = TranscriptIr(known.share_i, known.ad_i, known.share_r, known.ad_r);
  EXPECT_EQ(HexOf(ComputeIsk(known.sid, *k_i, ir)), Field("ISK"));
  const TranscriptHash th = HashTranscript(known.transcript());
  EXPECT_EQ(HexOf(SecretView(th.data(), th.size())), Field("TH"));
  EXPECT_EQ(HexOf(DerivePrk(known.transcript(), *k_i)), Field("PRK"));
}

TEST_P(KeyScheduleTest, KnownTagsAndKeys) {
  const KnownAnswers known(case_);
  const KeySchedule schedule = known.schedule();
  EXPECT_EQ(HexOf(schedule.ConfirmKey(Role::kInitiator)), Field("confirm_key_i"));
  EXPECT_EQ(HexOf(schedule.ConfirmKey(Role::kReceiver)), Field("confirm_key_r"));
  EXPECT_EQ(Hex(schedule.Tag(Role::kInitiator)), Field("T_i"));
  EXPECT_EQ(Hex(schedule.Tag(Role::kReceiver)), Field("T_r"));
  EXPECT_EQ(HexOf(schedule.Verifier()), Field("verifier"));
  EXPECT_EQ(HexOf(schedule.Exporter()), Field("exporter"));
}

TEST_P(KeyScheduleTest, KnownDerivedKeys) {
  const KnownAnswers known(case_);
  ASSERT_FALSE(case_["derived_keys"].empty());
  for (const nlohmann::json& derived : case_["derived_keys"]) {
    SecretBytes out = SecretBytes::Create(derived.value("length", size_t{0})).value();
    ASSERT_TRUE(known.schedule().DeriveKey(derived.value("purpose", "missing"), out.span()).ok());
    EXPECT_EQ(HexOf(out), derived.value("key", "missing"));
  }
}

INSTANTIATE_TEST_SUITE_P(BothCases, KeyScheduleTest, testing::Values(0, 1));

KnownAnswers First() { return KnownAnswers(vectors::Load("wormhole_sync_1_kat.json")["cases"][0]); }

TEST(KeyScheduleRules, KnownAnswersHaveTwoCases) {
  EXPECT_EQ(vectors::Load("wormhole_sync_1_kat.json")["cases"].size(), 2u);
}

TEST(KeyScheduleRules, VerifiesOnlyTheWholeTagOfTheRole) {
  const KnownAnswers known = First();
  const KeySchedule schedule = known.schedule();
  const std::string tag = schedule.Tag(Role::kInitiator);
  EXPECT_TRUE(schedule.VerifyTag(Role::kInitiator, tag));
  EXPECT_FALSE(schedule.VerifyTag(Role::kReceiver, tag)) << "reflected";
  for (size_t i = 0; i < tag.size(); ++i) {
    std::string bad = tag;
    bad[i] ^= 1;
    EXPECT_FALSE(schedule.VerifyTag(Role::kInitiator, bad)) << i;
    EXPECT_FALSE(schedule.VerifyTag(Role::kInitiator, tag.substr(0, i))) << i;
  }
  EXPECT_FALSE(schedule.VerifyTag(Role::kInitiator, tag + "x"));
}

TEST(KeyScheduleRules, DerivedKeysHaveARange) {
  const KnownAnswers known = First();
  const KeySchedule schedule = known.schedule();
  SecretBytes out = SecretBytes::Create(kMaxDerivedKeyBytes + 1).value();
  uint8_t* const data = out.data(SecretAccess{});
  for (size_t n : {size_t{0}, size_t{1}, size_t{15}, size_t{16321}}) {
    EXPECT_EQ(schedule.DeriveKey("purpose", SecretSpan(data, n)).code(),
              absl::StatusCode::kInvalidArgument)
        << n;
  }
  EXPECT_TRUE(out.Equals(SecretBytes::Create(out.size()).value())) << "written in spite of error";
  EXPECT_TRUE(schedule.DeriveKey("purpose", SecretSpan(data, 16)).ok());
  EXPECT_TRUE(schedule.DeriveKey("purpose", SecretSpan(data, 16320)).ok());
}

// Each value of the transcript counts, for the key as for the tags.
TEST(KeyScheduleRules, EveryPartOfTheTranscriptCounts) {
  const KnownAnswers known = First();
  const WipedArray<32> k;
  const Prk prk = DerivePrk(known.transcript(), k);
  for (std::string_view Transcript::*part :
       {&Transcript::ci, &Transcript::sid, &Transcript::share_i, &Transcript::ad_i,
        &Transcript::share_r, &Transcript::ad_r}) {
    Transcript other = known.transcript();
    std::string changed(other.*part);
    changed.back() ^= 1;
    other.*part = changed;
    EXPECT_NE(HashTranscript(other), HashTranscript(known.transcript()));
    EXPECT_FALSE(DerivePrk(other, k).view().Equals(prk));
  }
}

TEST(KeyScheduleRules, AllKeysDiffer) {
  const KnownAnswers known = First();
  const KeySchedule s = known.schedule();
  std::vector<std::string> keys = {HexOf(s.Verifier()), HexOf(s.Exporter()).substr(0, 64)};
  for (Role role : {Role::kInitiator, Role::kReceiver}) {
    keys.push_back(HexOf(s.NonceKey(role)));
    keys.push_back(HexOf(s.ConfirmKey(role)));
    for (uint64_t n : {uint64_t{0}, uint64_t{1}, uint64_t{256}, UINT64_MAX}) {
      keys.push_back(HexOf(s.MessageKey(role, n)));
    }
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " " << j;
  }
}

TEST(KeyScheduleRules, NumbersAreBigEndian) {
  EXPECT_EQ(Hex(U64be(0x0102030405060708)), "0102030405060708");
  EXPECT_EQ(Hex(U64be(UINT64_MAX)), "ffffffffffffffff");
}

}  // namespace
}  // namespace wormhole::pake
