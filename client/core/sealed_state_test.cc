#include "client/core/sealed_state.h"

#include "client/core/testing/seeded_random.h"
#include "gtest/gtest.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

const std::string kKey(32, 'k');
pake::SecretView Key(const std::string& key = kKey) { return pake::SecretView(key); }

TEST(SealedStateTest, RoundTrips) {
  SeededRandom random(1);
  for (const size_t size : {0, 1, 2, 3, 1000, 500'000}) {
    const std::string state(size, 's');
    const auto sealed = SealState(state, Key(), random);
    ASSERT_TRUE(sealed.ok());
    EXPECT_EQ(sealed->substr(0, 22), "wormhole-sync-state-1:");
    EXPECT_TRUE(LooksSealed(*sealed));
    const auto opened = OpenSealedState(*sealed, Key());
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, state);
  }
}

TEST(SealedStateTest, NoTwoAreAlike) {
  SeededRandom random(1);
  EXPECT_NE(*SealState("state", Key(), random), *SealState("state", Key(), random));
}

TEST(SealedStateTest, OtherKeysAndSizes) {
  SeededRandom random(1);
  const std::string sealed = *SealState("state", Key(), random);
  const auto refused = [&](const std::string& text, const std::string& key) {
    const absl::Status status = OpenSealedState(text, pake::SecretView(key)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), Reason::kInvalidArgument);
  };
  refused(sealed, std::string(32, 'x'));
  refused(sealed, std::string(31, 'k'));
  refused(sealed, "");
  refused("", kKey);
  refused("{}", kKey);
  refused("wormhole-sync-state-1:", kKey);
  refused("wormhole-sync-state-1:AAAA", kKey);
  refused("wormhole-sync-state-1:" + std::string(3 << 20, 'A'), kKey);
  EXPECT_FALSE(SealState("state", pake::SecretView(std::string_view("short")), random).ok());
  EXPECT_EQ(OpenSealedState("wormhole-sync-state-2:AAAA", Key()).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(LooksSealed("{\"format\":\"wormhole-sync-state\"}"));
}

TEST(SealedStateTest, EveryFlippedCharacterIsNoticed) {
  SeededRandom random(1);
  const std::string sealed = *SealState("{\"a\":1}", Key(), random);
  for (size_t i = 0; i < sealed.size(); ++i) {
    for (const int bit : {1, 2, 4, 8, 16, 32, 64, 128}) {
      std::string text = sealed;
      text[i] = static_cast<char>(text[i] ^ bit);
      EXPECT_FALSE(OpenSealedState(text, Key()).ok()) << i;
    }
    EXPECT_FALSE(OpenSealedState(sealed.substr(0, i), Key()).ok()) << i;
  }
}

}  // namespace
}  // namespace wormhole::core
