#include "client/cli/secret_text.h"

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "gtest/gtest.h"

namespace wormhole::cli {
namespace {

constexpr std::string_view kSecret = "a secret";  // short: it is inside the object itself

// Memory that is still there when the object in it is not.
struct Room {
  bool HasSecret() const {
    return std::search(std::begin(bytes), std::end(bytes), kSecret.begin(), kSecret.end()) !=
           std::end(bytes);
  }
  alignas(SecretText) char bytes[sizeof(SecretText)] = {};
};

TEST(SecretTextTest, IsWipedAtTheEnd) {
  Room room;
  auto* text = new (room.bytes) SecretText(std::string(kSecret));
  EXPECT_EQ(text->view(), kSecret);
  EXPECT_TRUE(room.HasSecret());
  std::destroy_at(text);
  EXPECT_FALSE(room.HasSecret());
}

TEST(SecretTextTest, WhatIsLeftOutIsWiped) {
  Room room;
  auto* text = new (room.bytes) SecretText(std::string(kSecret));
  text->Shorten(1);
  EXPECT_EQ(text->view(), "a");
  // Behind its end, and not anywhere: the address in the object may have any byte.
  const std::string_view left_out(text->data() + 1, kSecret.size() - 1);
  EXPECT_EQ(left_out, std::string(kSecret.size() - 1, '\0'));
  std::destroy_at(text);
}

TEST(SecretTextTest, Moves) {
  SecretText first{std::string(kSecret)};
  SecretText second = std::move(first);
  SecretText third{std::string()};
  third = std::move(second);
  EXPECT_EQ(third.view(), kSecret);
}

}  // namespace
}  // namespace wormhole::cli
