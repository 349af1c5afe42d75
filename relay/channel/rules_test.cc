#include "relay/channel/rules.h"

#include <string>

#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/channel/record.h"

namespace wormhole::relay {
namespace {

using error::ErrorDetail;
using error::ReasonOf;
using rendezvous::v1::MOOD_ERRORY;
using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;
using rendezvous::v1::MOOD_UNSPECIFIED;

constexpr char kAnna[] = "anna's side.....";
constexpr char kBert[] = "bert's side.....";
constexpr char kCarl[] = "carl's side.....";

const absl::Time kNow = absl::FromUnixSeconds(1'000'000);
const absl::Time kLater = kNow + absl::Minutes(5);
const ChannelLimits kLimits;

ChannelRecord Alone() {
  return NewChannel(kAnna, "", /*named=*/false, absl::Minutes(30), kNow, kLimits);
}

ChannelRecord Both() { return NewChannel(kAnna, kBert, false, absl::Minutes(30), kNow, kLimits); }

TEST(NewChannel, HasTheLifetimeThatWasAskedForWithinTheLimits) {
  EXPECT_EQ(Alone().due_at, kNow + absl::Minutes(30));
  EXPECT_EQ(NewChannel(kAnna, "", false, absl::ZeroDuration(), kNow, kLimits).due_at,
            kNow + kLimits.ttl_default);
  EXPECT_EQ(NewChannel(kAnna, "", false, absl::Hours(10'000), kNow, kLimits).due_at,
            kNow + kLimits.ttl_max);
  EXPECT_EQ(NewChannel(kAnna, "", false, absl::InfiniteDuration(), kNow, kLimits).due_at,
            kNow + kLimits.ttl_max);
}

TEST(NewChannel, HasItsMembers) {
  const ChannelRecord record = NewChannel(kAnna, kBert, true, absl::Hours(1), kNow, kLimits);
  EXPECT_TRUE(record.named);
  EXPECT_FALSE(record.ended());
  EXPECT_EQ(record.member(Role::kInitiator).side, kAnna);
  EXPECT_EQ(record.member(Role::kReceiver).side, kBert);
  EXPECT_EQ(record.created_at, kNow);
}

// As stores keep them: what is loaded must equal what was put.
TEST(NewChannel, HasTimesInWholeMicroseconds) {
  const absl::Time odd = kNow + absl::Nanoseconds(1'999);
  ChannelRecord record =
      NewChannel(kAnna, "", false, absl::Nanoseconds(3'600'000'001), odd, kLimits);
  EXPECT_EQ(record.created_at, kNow + absl::Microseconds(1));
  EXPECT_EQ(record.due_at, absl::FromUnixMicros(absl::ToUnixMicros(record.due_at)));
  record = *Close(record, Role::kInitiator, MOOD_SCARY, odd + absl::Nanoseconds(1), kLimits);
  EXPECT_EQ(record.due_at, absl::FromUnixMicros(absl::ToUnixMicros(record.due_at)));
}

TEST(JudgeResume, KnowsItsMembersOnly) {
  EXPECT_EQ(*JudgeResume(Both(), kAnna, kLater), Role::kInitiator);
  EXPECT_EQ(*JudgeResume(Both(), kBert, kLater), Role::kReceiver);
  const absl::Status stranger = JudgeResume(Both(), kCarl, kLater).status();
  EXPECT_EQ(ReasonOf(stranger), ErrorDetail::REASON_NOT_MEMBER);
  EXPECT_EQ(stranger.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(ReasonOf(JudgeResume(Alone(), "", kLater).status()), ErrorDetail::REASON_NOT_MEMBER);
}

TEST(JudgeResume, OfAnEndedChannelTellsHowItEnded) {
  ChannelRecord record = *Close(Both(), Role::kReceiver, MOOD_SCARY, kLater, kLimits);
  const absl::Status closed = JudgeResume(record, kAnna, kLater).status();
  EXPECT_EQ(ReasonOf(closed), ErrorDetail::REASON_CLOSED);
  EXPECT_EQ(error::DetailOf(closed)->mood(), MOOD_SCARY);
  EXPECT_EQ(closed.code(), absl::StatusCode::kNotFound);
}

TEST(JudgeResume, OfAnEndedChannelTellsAStrangerNothing) {
  const ChannelRecord closed = *Close(Alone(), Role::kInitiator, MOOD_HAPPY, kLater, kLimits);
  EXPECT_EQ(ReasonOf(JudgeResume(closed, kCarl, kLater).status()), ErrorDetail::REASON_NOT_MEMBER);
  EXPECT_EQ(ReasonOf(JudgeResume(closed, "", kLater).status()), ErrorDetail::REASON_NOT_MEMBER);
  EXPECT_EQ(ReasonOf(JudgeResume(Alone(), kCarl, kNow + absl::Hours(1)).status()),
            ErrorDetail::REASON_NOT_MEMBER);
}

TEST(JudgeResume, OfAChannelWhoseTimeIsOverIsExpiredAlreadyBeforeItIsProcessed) {
  EXPECT_EQ(ReasonOf(JudgeResume(Both(), kAnna, kNow + absl::Minutes(30)).status()),
            ErrorDetail::REASON_EXPIRED);
  EXPECT_TRUE(JudgeResume(Both(), kAnna, kNow + absl::Minutes(30) - absl::Nanoseconds(1)).ok());
}

TEST(Claim, TakesTheFreePlace) {
  const ChannelRecord claimed = *Claim(Alone(), kBert, kLater);
  EXPECT_EQ(claimed.member(Role::kReceiver).side, kBert);
  EXPECT_EQ(claimed.due_at, Alone().due_at) << "a claim extends nothing";
}

TEST(Claim, IsIdempotentBySide) { EXPECT_EQ(*Claim(Both(), kBert, kLater), Both()); }

TEST(Claim, OfAThirdPartyIsCrowded) {
  const absl::Status crowded = Claim(Both(), kCarl, kLater).status();
  EXPECT_EQ(ReasonOf(crowded), ErrorDetail::REASON_CROWDED);
  EXPECT_EQ(crowded.code(), absl::StatusCode::kAlreadyExists);
}

TEST(Claim, OfTheInitiatorIsRefused) {
  EXPECT_EQ(ReasonOf(Claim(Alone(), kAnna, kLater).status()), ErrorDetail::REASON_SIDE_IN_USE);
  EXPECT_EQ(ReasonOf(Claim(Both(), kAnna, kLater).status()), ErrorDetail::REASON_SIDE_IN_USE);
}

TEST(Claim, OfAnEndedChannelIsNotFound) {
  EXPECT_EQ(ReasonOf(Claim(Alone(), kBert, kNow + absl::Hours(1)).status()),
            ErrorDetail::REASON_EXPIRED);
  const ChannelRecord closed = *Close(Alone(), Role::kInitiator, MOOD_LONELY, kLater, kLimits);
  EXPECT_EQ(ReasonOf(Claim(closed, kBert, kLater).status()), ErrorDetail::REASON_CLOSED);
}

ErrorDetail::Reason PostReason(const ChannelSnapshot& channel, PostRequest post,
                               const ChannelLimits& limits = kLimits) {
  return ReasonOf(JudgePost(channel, Role::kInitiator, post, kLater, limits));
}

TEST(JudgePost, NumbersFollowEachOther) {
  ChannelSnapshot channel{.record = Both()};
  EXPECT_TRUE(JudgePost(channel, Role::kInitiator, {.number = 1}, kLater, kLimits).ok());
  const absl::Status gap = JudgePost(channel, Role::kInitiator, {.number = 2}, kLater, kLimits);
  EXPECT_EQ(ReasonOf(gap), ErrorDetail::REASON_MALFORMED);
  EXPECT_EQ(error::DetailOf(gap)->field(), "post.number");
  EXPECT_EQ(PostReason(channel, {.number = 0}), ErrorDetail::REASON_MALFORMED);
  EXPECT_EQ(PostReason(channel, {.number = 3, .pending_last = 2}), ErrorDetail::REASON_UNSPECIFIED);
  EXPECT_EQ(PostReason(channel, {.number = 4, .pending_last = 2}), ErrorDetail::REASON_MALFORMED);
}

TEST(JudgePost, AStoredNumberPassesToTheStore) {
  ChannelSnapshot channel{.record = Both()};
  channel.log(Role::kInitiator) = {.stored = 20, .forgotten = 2, .accepted = 2, .bytes = 1 << 20};
  EXPECT_EQ(PostReason(channel, {.number = 20, .bytes = 66'000}), ErrorDetail::REASON_UNSPECIFIED);
  EXPECT_EQ(PostReason(channel, {.number = 1}), ErrorDetail::REASON_UNSPECIFIED);
}

TEST(JudgePost, ALongFrameIsMalformed) {
  ChannelSnapshot channel{.record = Both()};
  EXPECT_EQ(PostReason(channel, {.number = 1, .bytes = 66'000}), ErrorDetail::REASON_UNSPECIFIED);
  const absl::Status status =
      JudgePost(channel, Role::kInitiator, {.number = 1, .bytes = 66'001}, kLater, kLimits);
  EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_MALFORMED);
  EXPECT_EQ(error::DetailOf(status)->field(), "post.frame");
}

TEST(JudgePost, TheWindowCountsFramesBeyondThePeersCursor) {
  ChannelSnapshot channel{.record = Both()};
  channel.log(Role::kInitiator) = {.stored = 18, .forgotten = 3, .accepted = 3};
  EXPECT_EQ(PostReason(channel, {.number = 19}), ErrorDetail::REASON_UNSPECIFIED);
  EXPECT_EQ(PostReason(channel, {.number = 20, .pending_last = 19}), ErrorDetail::REASON_WINDOW);
  channel.log(Role::kInitiator).accepted = 4;
  EXPECT_EQ(PostReason(channel, {.number = 20, .pending_last = 19}),
            ErrorDetail::REASON_UNSPECIFIED);
}

TEST(JudgePost, TheWindowCountsBytesAsPosted) {
  ChannelLimits limits;
  limits.window_bytes = 1000;
  ChannelSnapshot channel{.record = Both()};
  channel.log(Role::kInitiator) = {.stored = 2, .forgotten = 1, .accepted = 1, .bytes = 300};
  EXPECT_EQ(PostReason(channel, {.number = 3, .bytes = 700}, limits),
            ErrorDetail::REASON_UNSPECIFIED);
  EXPECT_EQ(PostReason(channel, {.number = 3, .bytes = 701}, limits), ErrorDetail::REASON_WINDOW);
  EXPECT_EQ(
      PostReason(channel, {.number = 4, .bytes = 400, .pending_last = 3, .pending_bytes = 301},
                 limits),
      ErrorDetail::REASON_WINDOW);
}

// The peer has seen what the relay lost: the author posts it again, whatever the window.
TEST(JudgePost, AFrameThatThePeerHasAcceptedNeedsNoWindow) {
  ChannelLimits limits;
  limits.window_bytes = 10;
  ChannelSnapshot channel{.record = Both()};
  channel.log(Role::kInitiator) = {.stored = 2, .forgotten = 2, .accepted = 9};
  EXPECT_EQ(PostReason(channel, {.number = 3, .bytes = 700}, limits),
            ErrorDetail::REASON_UNSPECIFIED);
}

TEST(JudgePost, AfterThePeerHasLeftOnlyUpToItsCursor) {
  ChannelSnapshot channel{.record = *Close(Both(), Role::kReceiver, MOOD_HAPPY, kLater, kLimits)};
  channel.log(Role::kInitiator) = {.stored = 2, .forgotten = 2, .accepted = 3};
  EXPECT_EQ(PostReason(channel, {.number = 3}), ErrorDetail::REASON_UNSPECIFIED);
  const absl::Status status =
      JudgePost(channel, Role::kInitiator, {.number = 4, .pending_last = 3}, kLater, kLimits);
  EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_PEER_LEFT);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(JudgePost, ASideThatHasLeftPostsNothing) {
  const ChannelSnapshot channel{.record =
                                    *Close(Both(), Role::kInitiator, MOOD_HAPPY, kLater, kLimits)};
  EXPECT_EQ(PostReason(channel, {.number = 1}), ErrorDetail::REASON_STALE_STATE);
}

TEST(JudgePost, OnAnEndedChannelIsNotFound) {
  ChannelSnapshot channel{.record = *Close(Both(), Role::kReceiver, MOOD_ERRORY, kLater, kLimits)};
  EXPECT_EQ(PostReason(channel, {.number = 1}), ErrorDetail::REASON_CLOSED);
  channel.record = Both();
  EXPECT_EQ(
      ReasonOf(JudgePost(channel, Role::kInitiator, {.number = 1}, kNow + absl::Hours(2), kLimits)),
      ErrorDetail::REASON_EXPIRED);
}

TEST(Close, HappyLeavesAndTheChannelEndsWithTheSecond) {
  const ChannelRecord one = *Close(Both(), Role::kReceiver, MOOD_HAPPY, kLater, kLimits);
  EXPECT_FALSE(one.ended());
  EXPECT_TRUE(one.member(Role::kReceiver).left);
  EXPECT_EQ(one.due_at, Both().due_at);
  const ChannelRecord two = *Close(one, Role::kInitiator, MOOD_HAPPY, kLater, kLimits);
  EXPECT_EQ(two.life, Life::kClosed);
  EXPECT_EQ(two.ended_by, MOOD_HAPPY);
  EXPECT_EQ(two.due_at, kLater + kLimits.quarantine);
}

TEST(Close, HappyOfTheOnlyMemberEndsTheChannel) {
  const ChannelRecord ended = *Close(Alone(), Role::kInitiator, MOOD_HAPPY, kLater, kLimits);
  EXPECT_EQ(ended.life, Life::kClosed);
}

TEST(Close, AnyOtherMoodEndsTheChannelForBoth) {
  for (Mood mood : {MOOD_LONELY, MOOD_SCARY, MOOD_ERRORY}) {
    const ChannelRecord ended = *Close(Both(), Role::kInitiator, mood, kLater, kLimits);
    EXPECT_EQ(ended.life, Life::kClosed);
    EXPECT_EQ(ended.ended_by, mood);
  }
}

TEST(Close, AgainChangesNothingWhateverTheMood) {
  const ChannelRecord left = *Close(Both(), Role::kReceiver, MOOD_HAPPY, kLater, kLimits);
  for (Mood mood : {MOOD_HAPPY, MOOD_LONELY, MOOD_SCARY, MOOD_ERRORY}) {
    EXPECT_EQ(*Close(left, Role::kReceiver, mood, kLater, kLimits), left);
  }
}

TEST(Close, NeedsAMood) {
  for (int mood : {static_cast<int>(MOOD_UNSPECIFIED), 17, -1}) {
    const absl::Status status =
        Close(Both(), Role::kReceiver, static_cast<Mood>(mood), kLater, kLimits).status();
    EXPECT_EQ(ReasonOf(status), ErrorDetail::REASON_MALFORMED);
    EXPECT_EQ(error::DetailOf(status)->field(), "close.mood");
  }
}

TEST(Close, OfAnEndedChannelIsNotFound) {
  const ChannelRecord ended = *Close(Both(), Role::kInitiator, MOOD_SCARY, kLater, kLimits);
  EXPECT_EQ(ReasonOf(Close(ended, Role::kReceiver, MOOD_HAPPY, kLater, kLimits).status()),
            ErrorDetail::REASON_CLOSED);
}

TEST(JudgeDue, AnActiveChannelExpiresThenRestsThenIsErased) {
  ChannelRecord record = Both();
  EXPECT_EQ(JudgeDue(record, kLater, kLimits), DueAction::kNothing);
  EXPECT_EQ(record, Both());
  const absl::Time over = kNow + absl::Minutes(30);
  EXPECT_EQ(JudgeDue(record, over, kLimits), DueAction::kPut);
  EXPECT_EQ(record.life, Life::kExpired);
  EXPECT_EQ(record.due_at, over + kLimits.quarantine);
  EXPECT_EQ(JudgeDue(record, over, kLimits), DueAction::kNothing);
  EXPECT_EQ(JudgeDue(record, over + kLimits.quarantine, kLimits), DueAction::kErase);
}

TEST(AcceptsWaiters, OnlyANamedChannelThatLives) {
  const absl::Time now = absl::UnixEpoch();
  const ChannelLimits limits;
  ChannelRecord record = NewChannel("initiator", "", /*named=*/true, absl::Hours(1), now, limits);
  EXPECT_FALSE(AcceptsWaiters(record, now)) << "not stored";
  record.version = 1;
  EXPECT_TRUE(AcceptsWaiters(record, now));
  EXPECT_TRUE(AcceptsWaiters(record, record.due_at - absl::Microseconds(1)));
  EXPECT_FALSE(AcceptsWaiters(record, record.due_at));
  ChannelRecord drawn = record;
  drawn.named = false;
  EXPECT_FALSE(AcceptsWaiters(drawn, now));
  ChannelRecord ended = record;
  ended.life = Life::kClosed;
  EXPECT_FALSE(AcceptsWaiters(ended, now));
}

}  // namespace
}  // namespace wormhole::relay
