#include "proto/wire/side.h"

#include <sodium.h>

#include "gtest/gtest.h"
#include "proto/wire/lv.h"

namespace wormhole::wire {
namespace {

TEST(SideTest, IsTheFrontOfTheHash) {
  const std::string token(kTokenBytes, 't');
  const std::string hashed = Lv({"wormhole-sync/1", "side", token});
  unsigned char digest[crypto_hash_sha512_BYTES];
  crypto_hash_sha512(digest, reinterpret_cast<const unsigned char*>(hashed.data()), hashed.size());
  const auto side = SideFromToken(token);
  ASSERT_TRUE(side.ok()) << side.status();
  EXPECT_EQ(*side, std::string(reinterpret_cast<char*>(digest), kSideBytes));
}

TEST(SideTest, EveryByteOfTheTokenCounts) {
  const std::string token(kTokenBytes, 't');
  const Side side = SideFromToken(token).value();
  for (size_t i = 0; i < kTokenBytes; ++i) {
    std::string other = token;
    other[i] ^= 1;
    EXPECT_NE(SideFromToken(other).value(), side) << i;
  }
}

TEST(SideTest, RefusesTokensOfAnotherSize) {
  for (size_t size : {0, 1, 16, 31, 33, 64}) {
    EXPECT_EQ(SideFromToken(std::string(size, 't')).status().code(),
              absl::StatusCode::kInvalidArgument)
        << size;
  }
}

}  // namespace
}  // namespace wormhole::wire
