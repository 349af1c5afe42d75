#include "client/pake/sealed.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "client/pake/testing/vectors.h"
#include "gtest/gtest.h"
#include "proto/wire/lv.h"

namespace wormhole::pake {
namespace {

using vectors::Hex;
using vectors::Unhex;

std::string HexOf(SecretView secret) { return Hex(secret.string(SecretAccess{})); }

Role RoleOf(const nlohmann::json& sealed) {
  return sealed.value("role", "") == "initiator" ? Role::kInitiator : Role::kReceiver;
}

std::string Sha256Hex(std::string_view bytes) {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return Hex(digest);
}

class SealedTest : public testing::Test {
 protected:
  SealedTest() : prk_(kPrkBytes, 'k'), schedule_(SecretView(prk_), TranscriptHash{}) {}

  std::string SealOrDie(std::string_view plaintext, Role role = Role::kInitiator, uint64_t n = 0) {
    return Seal(schedule_, role, n, plaintext).value();
  }
  void ExpectRefused(std::string_view box, Role role = Role::kInitiator, uint64_t n = 0) {
    const absl::Status status = Open(schedule_, role, n, box).status();
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    refusals_.emplace_back(status.message());
  }
  // Any padded bytes, sealed as a malicious peer that has the keys would.
  std::string SealRaw(std::string padded, uint64_t n) {
    const std::string ad = wire::Lv({"wormhole-sync/1", "message", "initiator", U64be(n)});
    std::string box(24 + padded.size() + 16, 'n');
    auto* const out = reinterpret_cast<unsigned char*>(box.data());
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        out + 24, nullptr, reinterpret_cast<const unsigned char*>(padded.data()), padded.size(),
        reinterpret_cast<const unsigned char*>(ad.data()), ad.size(), nullptr, out,
        schedule_.MessageKey(Role::kInitiator, n).data(SecretAccess{}));
    return box;
  }

  const std::string prk_;
  const KeySchedule schedule_;
  std::vector<std::string> refusals_;
};

TEST_F(SealedTest, KnownAnswers) {
  const nlohmann::json file = vectors::Load("wormhole_sync_1_kat.json");
  int run = 0;
  for (const nlohmann::json& c : file["cases"]) {
    const std::string prk = Unhex(c["PRK"]);
    const KeySchedule schedule(SecretView(prk), TranscriptHash{});
    for (const nlohmann::json& s : c["sealed"]) {
      SCOPED_TRACE(run++);
      const uint64_t n = s.value("n", uint64_t{0});
      const std::string plaintext = vectors::Plaintext(s);
      ASSERT_EQ(plaintext.size(), s.value("plaintext_length", size_t{1} << 20));
      const std::string name(RoleName(RoleOf(s)));
      EXPECT_EQ(HexOf(schedule.MessageKey(RoleOf(s), n)), s.value("key", ""));
      EXPECT_EQ(HexOf(schedule.NonceKey(RoleOf(s))), s.value("nonce_key", ""));
      EXPECT_EQ(Hex(wire::Lv({"wormhole-sync/1", "message", name, U64be(n)})), s.value("ad", ""));
      const std::string box = Seal(schedule, RoleOf(s), n, plaintext).value();
      EXPECT_EQ(box.size(), s.value("box_length", size_t{0}));
      EXPECT_EQ(Hex(box.substr(0, 24)), s.value("nonce", ""));
      EXPECT_EQ(Sha256Hex(box), s.value("box_sha256", ""));
      EXPECT_EQ(Hex(box), s.value("box", Hex(box)));  // the largest is given by its hash only
      EXPECT_EQ(Open(schedule, RoleOf(s), n, box).value(), plaintext);
    }
  }
  EXPECT_EQ(run, 8);
}

TEST_F(SealedTest, EverySizeAtTheEdgesOfBuckets) {
  std::vector<size_t> sizes = {0, 1, 65000};
  for (size_t bucket = kMinBucketBytes; bucket <= kMaxBucketBytes; bucket *= 2) {
    for (size_t size : {bucket - 2, bucket - 1, bucket, bucket + 1}) {
      if (size <= kMaxPlaintextBytes) sizes.push_back(size);
    }
  }
  for (size_t size : sizes) {
    // 0x80 and zeros at the end are data, not padding.
    for (char fill : {'x', '\0', '\x80'}) {
      const std::string plaintext(size, fill);
      const std::string box = SealOrDie(plaintext);
      size_t bucket = 256;
      while (bucket < size + 1) bucket *= 2;
      EXPECT_EQ(box.size(), bucket + kBoxOverheadBytes) << size;
      EXPECT_EQ(Open(schedule_, Role::kInitiator, 0, box).value(), plaintext) << size;
    }
  }
}

TEST_F(SealedTest, OversizeIsAnError) {
  EXPECT_TRUE(Seal(schedule_, Role::kInitiator, 0, std::string(65535, 'x')).ok());
  for (size_t size : {65536, 65537, 1 << 20}) {
    EXPECT_EQ(Seal(schedule_, Role::kInitiator, 0, std::string(size, 'x')).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST_F(SealedTest, SameAgainAndNoNonceTwice) {
  EXPECT_EQ(SealOrDie("same"), SealOrDie("same"));
  const std::string nonce = SealOrDie("same").substr(0, 24);
  EXPECT_NE(SealOrDie("sane").substr(0, 24), nonce);
  EXPECT_NE(SealOrDie("same", Role::kReceiver).substr(0, 24), nonce);
  EXPECT_NE(SealOrDie("same", Role::kInitiator, 1).substr(0, 24), nonce);
}

TEST_F(SealedTest, EveryBitFlippedIsRefused) {
  const std::string box = SealOrDie("secret");
  for (size_t i = 0; i < box.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = box;
      bad[i] ^= static_cast<char>(1 << bit);
      ExpectRefused(bad);
    }
  }
}

TEST_F(SealedTest, EveryByteOfALargeBoxFlippedIsRefused) {
  std::mt19937 random(1);
  const std::string box = SealOrDie(std::string(65535, 'x'));
  for (int i = 0; i < 300; ++i) {
    std::string bad = box;
    bad[random() % bad.size()] ^= static_cast<char>(1 + random() % 255);
    ExpectRefused(bad);
  }
}

TEST_F(SealedTest, AnotherSizeIsRefused) {
  const std::string box = SealOrDie(std::string(300, 'x'));
  for (size_t size = 0; size < box.size(); ++size) ExpectRefused(box.substr(0, size));
  ExpectRefused(box + "x");
  ExpectRefused(std::string(65536 * 2 + kBoxOverheadBytes, 'x'));
  ExpectRefused(box + box);
}

TEST_F(SealedTest, AnotherRoleNumberOrKeyIsRefused) {
  const std::string box = SealOrDie("secret", Role::kInitiator, 7);
  ASSERT_TRUE(Open(schedule_, Role::kInitiator, 7, box).ok());
  ExpectRefused(box, Role::kReceiver, 7);
  ExpectRefused(box, Role::kInitiator, 6);
  ExpectRefused(box, Role::kInitiator, uint64_t{7} << 56);
  for (size_t i = 0; i < kPrkBytes; ++i) {
    std::string prk = prk_;
    prk[i] ^= 1;
    EXPECT_FALSE(
        Open(KeySchedule(SecretView(prk), TranscriptHash{}), Role::kInitiator, 7, box).ok());
  }
}

// A peer with the right keys still has only one valid form for a plaintext's size.
TEST_F(SealedTest, WrongPaddingUnderARightTagIsRefused) {
  auto padded = [](size_t bucket, size_t mark) {
    std::string bytes(bucket, 'x');
    if (mark < bucket) {
      std::fill(bytes.begin() + mark, bytes.end(), '\0');
      bytes[mark] = '\x80';
    }
    return bytes;
  };
  EXPECT_EQ(Open(schedule_, Role::kInitiator, 0, SealRaw(padded(256, 3), 0)).value(), "xxx");
  EXPECT_EQ(Open(schedule_, Role::kInitiator, 0, SealRaw(padded(512, 256), 0)).value().size(),
            256u);
  ExpectRefused(SealRaw(padded(256, 256), 0));        // no mark
  ExpectRefused(SealRaw(std::string(256, '\0'), 0));  // zeros only
  ExpectRefused(SealRaw(padded(512, 255), 0));        // fits 256
  ExpectRefused(SealRaw(padded(512, 0), 0));          // fits 256
  ExpectRefused(SealRaw(padded(65536, 32767), 0));    // fits 32768
  ExpectRefused(SealRaw(padded(128, 3), 0));          // no such bucket
  ExpectRefused(SealRaw(padded(768, 700), 0));        // not a power of two
  ExpectRefused(SealRaw(padded(131072, 70000), 0));   // too large
  ExpectRefused(SealRaw("", 0));
}

TEST_F(SealedTest, AllRefusalsLookTheSame) {
  ExpectRefused("");
  ExpectRefused(SealRaw(std::string(256, 'x'), 0));
  ExpectRefused(SealRaw(std::string(512, '\0').replace(0, 1, "\x80"), 0));
  ExpectRefused(SealOrDie("x"), Role::kReceiver);
  ExpectRefused(std::string(300, 'x'));
  for (const std::string& refusal : refusals_) EXPECT_EQ(refusal, refusals_.front());
}

TEST_F(SealedTest, RandomBytesNeverOpen) {
  std::mt19937 random(2);
  for (int i = 0; i < 2000; ++i) {
    std::string box(i % 2 == 0 ? 296 : random() % 700, '\0');
    for (char& c : box) c = static_cast<char>(random());
    ExpectRefused(box);
  }
}

}  // namespace
}  // namespace wormhole::pake
