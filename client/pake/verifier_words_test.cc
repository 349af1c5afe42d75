#include "client/pake/verifier_words.h"

#include <string>

#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"

namespace wormhole::pake {
namespace {

using Indices = std::array<uint16_t, kVerifierWords>;

Indices Of(const std::string& bytes) {
  WipedArray<kVerifierBytes> verifier;
  EXPECT_TRUE(verifier.span().CopyFrom(SecretView(bytes)));
  return VerifierWordIndices(verifier);
}

TEST(VerifierWordsTest, KnownAnswers) {
  // Worked out from the known verifiers by big-integer arithmetic in Python.
  const Indices expected[] = {{1460, 1949, 993, 340, 1398, 1518, 1549, 1488},
                              {1399, 1767, 658, 88, 1322, 194, 1263, 1240}};
  const nlohmann::json file = vectors::Load("wormhole_sync_1_kat.json");
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(Of(vectors::Unhex(file["cases"][i]["verifier"])), expected[i]);
  }
}

// Each of the first 88 bits lands in its own place, and no other bit does.
TEST(VerifierWordsTest, EachBitInItsPlace) {
  EXPECT_EQ(Of(std::string(32, '\xff')), (Indices{2047, 2047, 2047, 2047, 2047, 2047, 2047, 2047}));
  for (int bit = 0; bit < 256; ++bit) {
    std::string bytes(32, '\0');
    bytes[bit / 8] = static_cast<char>(0x80 >> (bit % 8));
    Indices expected{};
    if (bit < 88) expected[bit / 11] = static_cast<uint16_t>(1 << (10 - bit % 11));
    EXPECT_EQ(Of(bytes), expected) << bit;
  }
}

}  // namespace
}  // namespace wormhole::pake
