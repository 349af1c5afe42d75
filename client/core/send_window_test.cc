#include "client/core/send_window.h"

#include "gtest/gtest.h"
#include "proto/wire/limits.h"

namespace wormhole::core {
namespace {

using rendezvous::v1::Opened;

Opened OpenedWith(uint32_t frames, uint32_t bytes, uint32_t frame_bytes) {
  Opened opened;
  opened.mutable_limits()->set_window_frames(frames);
  opened.mutable_limits()->set_window_bytes(bytes);
  opened.mutable_limits()->set_max_frame_bytes(frame_bytes);
  return opened;
}

ExchangeState FramesOf(std::initializer_list<size_t> sizes) {
  ExchangeState state;
  for (const size_t size : sizes) state.frames.emplace_back(size, 'x');
  return state;
}

TEST(SendWindowTest, GrantsAtLeastWhatTheProtocolDoes) {
  const SendWindow least(OpenedWith(1, 1, 0));
  EXPECT_EQ(least.frames(), wire::kMinWindowFrames);
  EXPECT_EQ(least.bytes(), wire::kMinWindowBytes);
  EXPECT_EQ(least.max_frame_bytes(), wire::kMinFrameLimit);
  const SendWindow more(OpenedWith(5, 300'000, 1000));
  EXPECT_EQ(more.frames(), 5u);
  EXPECT_EQ(more.bytes(), 300'000u);
  EXPECT_EQ(more.max_frame_bytes(), 1000u);  // one that takes less is believed
}

TEST(SendWindowTest, CountsFramesFromThePeersCursor) {
  const ExchangeState state = FramesOf({1, 1, 1, 1, 1, 1});
  SendWindow window(OpenedWith(4, 0, 0));
  EXPECT_TRUE(window.Admits(4, state));
  EXPECT_FALSE(window.Admits(5, state));
  window.OnPeerCursor(2);
  EXPECT_TRUE(window.Admits(6, state));
  window.OnPeerCursor(1);  // a peer that was restored from an older copy
  EXPECT_FALSE(window.Admits(6, state));
}

TEST(SendWindowTest, CountsBytesFromThePeersCursor) {
  ExchangeState state = FramesOf({100'000, 100'000, 100'000});
  SendWindow window(OpenedWith(0, 0, 1'000'000));
  EXPECT_TRUE(window.Admits(2, state));
  EXPECT_FALSE(window.Admits(3, state));
  window.OnPeerCursor(1);
  EXPECT_TRUE(window.Admits(3, state));
  // Dropped frames count no bytes.
  state.frames.pop_front();
  state.dropped = 1;
  EXPECT_TRUE(window.Admits(3, state));
}

TEST(SendWindowTest, AFrameThatIsTooLongIsNeverAdmitted) {
  const ExchangeState state = FramesOf({1001, 1000});
  SendWindow window(OpenedWith(0, 0, 1000));
  EXPECT_FALSE(window.Admits(1, state));
  EXPECT_TRUE(window.Admits(2, state));
  window.OnPeerCursor(2);
  EXPECT_FALSE(window.Admits(1, state));
}

}  // namespace
}  // namespace wormhole::core
