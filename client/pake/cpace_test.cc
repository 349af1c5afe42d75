#include "client/pake/cpace.h"

#include <sodium.h>

#include <string>

#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"
#include "proto/wire/lv.h"

namespace wormhole::pake {
namespace {

using vectors::Hex;
using vectors::Unhex;

std::string HexOf(SecretView secret) { return Hex(secret.string(SecretAccess{})); }

const nlohmann::json& Vectors() {
  static const auto* const file =
      new nlohmann::json(vectors::Load("cpace_ristr255_sha512_vectors.json"));
  return *file;
}

std::string Sha512(std::string_view bytes) {
  std::string digest(crypto_hash_sha512_BYTES, '\0');
  crypto_hash_sha512(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return digest;
}

TEST(CpaceTest, OfficialStringEncodings) {
  const nlohmann::json& utils = Vectors()["official"]["string_utils"];
  ASSERT_EQ(utils["prepend_len"].size(), 4u);
  for (const nlohmann::json& test : utils["prepend_len"]) {
    EXPECT_EQ(Hex(wire::Lv({Unhex(test["in"])})), test.value("out", ""));
  }
  ASSERT_EQ(utils["lv_cat"].size(), 1u);
  const nlohmann::json& in = utils["lv_cat"][0]["in"];
  ASSERT_EQ(in.size(), 4u);
  const std::string out = wire::Lv({Unhex(in[0]), Unhex(in[1]), Unhex(in[2]), Unhex(in[3])});
  EXPECT_EQ(Hex(out), utils["lv_cat"][0].value("out", ""));
  EXPECT_EQ(wire::ParseLv(out, 4).value().size(), 4u);
  ASSERT_EQ(utils["transcript_ir"].size(), 2u);
  for (const nlohmann::json& test : utils["transcript_ir"]) {
    EXPECT_EQ(Hex(TranscriptIr(Unhex(test["Ya"]), Unhex(test["ADa"]), Unhex(test["Yb"]),
                               Unhex(test["ADb"]))),
              test.value("out", ""));
  }
}

TEST(CpaceTest, OfficialGenerator) {
  const nlohmann::json& v = Vectors()["official"]["generator"];
  const std::string string = Unhex(v["generator_string"]);
  EXPECT_EQ(Hex(Sha512(string)), v.value("generator_hash", ""));
  // The generator string has exactly the five fields that are hashed here.
  const auto fields = wire::ParseLv(string, 5).value();
  EXPECT_EQ(fields[0], "CPaceRistretto255");
  EXPECT_EQ(fields[1], Unhex(v["PRS"]));
  EXPECT_EQ(fields[2], std::string(v.value("zpad_length", 0), '\0'));
  const std::string prs = Unhex(v["PRS"]);
  EXPECT_EQ(HexOf(CalculateGenerator(SecretView(prs), Unhex(v["CI"]), Unhex(v["sid"]))),
            v.value("g", ""));
}

// The padding fills the first block of the hash, and is empty when the words reach past it.
TEST(CpaceTest, GeneratorForWordsOfAnyLength) {
  for (size_t size : {0, 1, 99, 100, 107, 108, 109, 110, 127, 128, 129, 300}) {
    const std::string prs(size, 'w');
    const size_t used = 1 + 17 + wire::Lv({prs}).size() + 1;
    const std::string zeros(used < 128 ? 128 - used : 0, '\0');
    const std::string hash = Sha512(wire::Lv({"CPaceRistretto255", prs, zeros, "ci", "sid"}));
    unsigned char g[crypto_core_ristretto255_BYTES];
    crypto_core_ristretto255_from_hash(g, reinterpret_cast<const unsigned char*>(hash.data()));
    const Generator generator = CalculateGenerator(SecretView(prs), "ci", "sid");
    EXPECT_TRUE(generator.view().Equals(SecretView(g, sizeof(g)))) << size;
  }
}

TEST(CpaceTest, OfficialProtocolRun) {
  const nlohmann::json& v = Vectors()["official"]["protocol"];
  const std::string prs = Unhex(v["PRS"]), ya = Unhex(v["ya"]), yb = Unhex(v["yb"]);
  const std::string sid = Unhex(v["sid"]);
  const Generator g = CalculateGenerator(SecretView(prs), Unhex(v["CI"]), sid);
  EXPECT_EQ(HexOf(g), v.value("g", ""));
  const std::string share_a = Share(g, SecretView(ya)).value();
  const std::string share_b = Share(g, SecretView(yb)).value();
  EXPECT_EQ(Hex(share_a), v.value("Ya", ""));
  EXPECT_EQ(Hex(share_b), v.value("Yb", ""));
  const SharedPoint k_a = ScalarMultVfy(SecretView(ya), share_b, share_a).value();
  const SharedPoint k_b = ScalarMultVfy(SecretView(yb), share_a, share_b).value();
  EXPECT_EQ(HexOf(k_a), v.value("K", ""));
  EXPECT_EQ(HexOf(k_b), v.value("K", ""));
  const std::string transcript = TranscriptIr(share_a, Unhex(v["ADa"]), share_b, Unhex(v["ADb"]));
  EXPECT_EQ(Hex(transcript), Vectors()["official"]["transcripts"].value("transcript_ir", ""));
  EXPECT_EQ(HexOf(ComputeIsk(sid, k_a, transcript)), v.value("ISK_IR", ""));
}

TEST(CpaceTest, OfficialValidMultiplication) {
  const nlohmann::json& tests = Vectors()["official"]["scalar_mult_valid"];
  ASSERT_EQ(tests.size(), 1u);
  const std::string s = Unhex(tests[0]["s"]);
  EXPECT_EQ(HexOf(ScalarMultVfy(SecretView(s), Unhex(tests[0]["X"]), "").value()),
            tests[0].value("out", ""));
}

void ExpectRefused(std::string_view share, std::string_view why) {
  const std::string s = Unhex(Vectors()["official"]["scalar_mult_vfy_invalid"]["s"]);
  const absl::Status status = ScalarMultVfy(SecretView(s), share, "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << Hex(share);
  const std::string message(status.message());
  EXPECT_NE(message.find(why), std::string::npos) << Hex(share) << ": " << message;
}

TEST(CpaceTest, OfficialInvalidPoints) {
  const nlohmann::json& points = Vectors()["official"]["scalar_mult_vfy_invalid"]["points"];
  ASSERT_EQ(points.size(), 2u);
  ExpectRefused(Unhex(points[0]["Y"]), "not a valid point");
  ExpectRefused(Unhex(points[1]["Y"]), "identity");
}

TEST(CpaceTest, InvalidEncodingsOfRfc9496) {
  int run = 0;
  for (const auto& kind : Vectors()["supplementary"]["rfc9496_invalid_encodings"]) {
    for (const nlohmann::json& hex : kind) {
      const std::string share = Unhex(hex);
      ExpectRefused(share, (share[31] & 0x80) != 0 ? "bit 255" : "not a valid point");
      ++run;
    }
  }
  EXPECT_EQ(run, 29);
}

TEST(CpaceTest, HighBitIsRefusedBeforeLibsodiumSeesIt) {
  const nlohmann::json& points = Vectors()["supplementary"]["high_bit"];
  ASSERT_EQ(points.size(), 2u);
  for (const nlohmann::json& point : points) ExpectRefused(Unhex(point["Y"]), "bit 255");
}

TEST(CpaceTest, SharesOfAnotherSizeAndOnesOwnAreRefused) {
  const nlohmann::json& v = Vectors()["official"]["protocol"];
  const std::string own = Unhex(v["Ya"]), s = Unhex(v["ya"]);
  for (size_t size : {0, 1, 31, 33, 64}) {
    ExpectRefused(std::string(size, '\xff'), "bytes");
  }
  const absl::Status status = ScalarMultVfy(SecretView(s), own, own).status();
  EXPECT_NE(std::string(status.message()).find("our own"), std::string::npos) << status;
  // The order of the rules: an invalid point that is also one's own is invalid first.
  const std::string bad(32, '\x01');
  EXPECT_NE(std::string(ScalarMultVfy(SecretView(s), bad, bad).status().message()).find("valid"),
            std::string::npos);
}

TEST(CpaceTest, UnusableScalarsAreErrors) {
  const nlohmann::json& v = Vectors()["official"]["protocol"];
  const std::string g = Unhex(v["g"]), ya = Unhex(v["ya"]), peer = Unhex(v["Yb"]);
  const std::string zero(32, '\0');
  EXPECT_FALSE(Share(SecretView(g), SecretView(zero)).ok());
  EXPECT_FALSE(Share(SecretView(g), SecretView("short")).ok());
  EXPECT_FALSE(Share(SecretView("short"), SecretView(g)).ok());
  EXPECT_FALSE(Share(SecretView(zero), SecretView(ya)).ok());
  EXPECT_FALSE(ScalarMultVfy(SecretView(zero), peer, "").ok());
  EXPECT_FALSE(ScalarMultVfy(SecretView("short"), peer, "").ok());
}

TEST(CpaceTest, ScalarFromUniformReduces) {
  WipedArray<kScalarSeedBytes> seed;
  EXPECT_EQ(HexOf(ScalarFromUniform(seed)), std::string(64, '0'));
  // The order of the group, ell, is zero; ell + 5 is 5.
  const std::string ell = Unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  ASSERT_TRUE(SecretSpan(seed.data(SecretAccess{}), 32).CopyFrom(SecretView(ell)));
  EXPECT_EQ(HexOf(ScalarFromUniform(seed)), std::string(64, '0'));
  seed.data(SecretAccess{})[0] += 5;
  EXPECT_EQ(HexOf(ScalarFromUniform(seed)), "05" + std::string(62, '0'));
}

TEST(CpaceTest, AnyDifferenceInTheInputsGivesAnotherGenerator) {
  const std::string base = HexOf(CalculateGenerator(SecretView("a-b"), "ci", "sid"));
  EXPECT_NE(HexOf(CalculateGenerator(SecretView("a-c"), "ci", "sid")), base);
  EXPECT_NE(HexOf(CalculateGenerator(SecretView("a-b"), "cj", "sid")), base);
  EXPECT_NE(HexOf(CalculateGenerator(SecretView("a-b"), "ci", "sie")), base);
  EXPECT_NE(HexOf(CalculateGenerator(SecretView("a-b"), "cis", "id")), base);
}

}  // namespace
}  // namespace wormhole::pake
