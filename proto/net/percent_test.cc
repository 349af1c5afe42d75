#include "proto/net/percent.h"

#include "gtest/gtest.h"

namespace wormhole::net {
namespace {

TEST(PercentTest, WhatEscapesAndWhatDoesNot) {
  const struct {
    const char* text;
    const char* decoded;
  } kCases[] = {
      {"", ""},
      {"plain", "plain"},
      {"%5B::1%5d:1", "[::1]:1"},
      {"%25eth0", "%eth0"},
      {"100%", "100%"},
      {"%4", "%4"},
      {"%zz", "%zz"},
      {"%%41", "%A"},
      {"p%40ss", "p@ss"},
  };
  for (const auto& c : kCases) EXPECT_EQ(PercentDecoded(c.text), c.decoded) << c.text;
}

}  // namespace
}  // namespace wormhole::net
