// What admission has to say of streams, allocations and claims.
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "relay/admission/admission.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;

constexpr char kBusy[] = "RESOURCE_EXHAUSTED BUSY";

class LimitsTest : public SwitchboardTest {
 protected:
  void Limit(const AdmissionRules& rules) {
    admission_ = std::make_unique<Admission>(rules);
    Restart();
  }
  std::unique_ptr<TestStream> From(const std::string& address, const std::string& name) {
    return std::make_unique<TestStream>(*switchboard_, name,
                                        StreamOrigin{.address = net::Address::Parse(address)});
  }
};

absl::Duration DelayOf(const absl::Status& status) {
  const auto delay = error::DetailOf(status)->retry_delay();
  return absl::Seconds(delay.seconds()) + absl::Nanoseconds(delay.nanos());
}

AdmissionRules Acts(Act act, uint32_t limit) {
  AdmissionRules rules;
  rules.acts[act] = limit;
  return rules;
}

TEST_F(LimitsTest, StreamsOfAnAddressAreCountedWhileTheyLast) {
  Limit({.streams_per_address = 2});
  auto first = From("192.0.2.7", "anna");
  const auto second = From("192.0.2.7", "bert");
  const auto third = From("192.0.2.7", "carl");
  EXPECT_EQ(third->Ended(), kBusy);
  EXPECT_EQ(From("192.0.2.8", "dora")->Ended(), "");
  EXPECT_EQ(Stream("emil")->Ended(), "");  // at a path
  third->Detach();
  EXPECT_EQ(From("192.0.2.7", "fritz")->Ended(), kBusy);
  first->Detach();
  first.reset();
  EXPECT_EQ(From("192.0.2.7", "gustav")->Ended(), "");
  EXPECT_EQ(admission_->stream_count(), 1);  // bert's
}

// gRPC takes what is reset faster than the relay hears of it.
TEST_F(LimitsTest, AStreamThatIsOverBeforeItsOpenCountsAsTen) {
  Limit(Acts(Act::kOpenStream, 30));
  From("192.0.2.7", "anna")->Detach();
  From("192.0.2.7", "bert")->Detach();
  const auto carl = From("192.0.2.7", "carl");
  carl->Allocate();
  Settle();
  EXPECT_EQ(carl->Ended(), "");
  carl->Detach();
  EXPECT_EQ(From("192.0.2.8", "dora")->Ended(), "");
  From("192.0.2.7", "emil")->Detach();  // the 22nd, and up to the 31st
  EXPECT_EQ(From("192.0.2.7", "fritz")->Ended(), kBusy);
}

TEST_F(LimitsTest, TheDelayIsWhatTheBucketTakesAndJitter) {
  Limit(Acts(Act::kAllocate, 3));
  std::optional<absl::Duration> least;
  std::optional<absl::Duration> most;
  for (int n = 0; n < 100; ++n) {
    const auto stream = From("192.0.2.7", "anna" + std::to_string(n));
    stream->Allocate();
    Settle();
    if (n < 3) {
      ASSERT_EQ(stream->Ended(), "");
      continue;
    }
    ASSERT_EQ(stream->Ended(), kBusy);
    const absl::Duration delay = DelayOf(stream->status());
    if (!least || delay < *least) least = delay;
    if (!most || delay > *most) most = delay;
  }
  EXPECT_GE(*least, absl::Seconds(20));
  EXPECT_LE(*most, absl::Seconds(40));
  EXPECT_GT(*most - *least, absl::Seconds(5));
  Pass(absl::Seconds(20));
  const auto again = From("192.0.2.7", "anna");
  again->Allocate();
  Settle();
  EXPECT_EQ(again->Ended(), "");
}

// Whether there is a channel under the id makes no difference to who is refused.
TEST_F(LimitsTest, WhoClaimsInVainTooOftenHasToWaitWithAllClaims) {
  Limit(Acts(Act::kFailClaim, 2));
  const auto anna = From("192.0.2.1", "anna");
  anna->Allocate();
  Settle();
  for (const char* const name : {"carl", "dora"}) {
    const auto guesser = From("192.0.2.7", name);
    guesser->Claim(anna->id() + 1);
    Settle();
    ASSERT_EQ(guesser->Ended(), "NOT_FOUND NEVER_ALLOCATED");
  }
  for (const uint32_t id : {anna->id(), anna->id() + 1}) {
    const auto guesser = From("192.0.2.7", "emil" + std::to_string(id));
    guesser->Claim(id);
    Settle();
    EXPECT_EQ(guesser->Ended(), kBusy);
  }
  const auto bert = From("192.0.2.8", "bert");
  bert->Claim(anna->id());
  Settle();
  EXPECT_EQ(bert->Ended(), "");
}

TEST_F(LimitsTest, ToResumeIsNoClaim) {
  Limit(Acts(Act::kClaim, 1));
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  const uint32_t id = anna->id();
  auto bert = From("192.0.2.7", "bert");
  bert->Claim(id);
  Settle();
  ASSERT_EQ(bert->Ended(), "");
  for (int n = 0; n < 10; ++n) {
    bert->Detach();
    bert = From("192.0.2.7", "bert");
    bert->Resume(id);
    Settle();
    EXPECT_EQ(bert->Ended(), "");
  }
}

TEST_F(LimitsTest, ChannelsOfAnAddressAreCountedUntilTheyEnd) {
  Limit({.channels_per_address = 1});
  auto anna = From("192.0.2.7", "anna");
  anna->Allocate();
  Settle();
  const uint32_t id = anna->id();
  anna->Detach();
  const auto second = From("192.0.2.7", "carl");
  second->Allocate();
  Settle();
  EXPECT_EQ(second->Ended(), kBusy);
  anna = From("192.0.2.7", "anna");
  anna->Resume(id);
  Settle();
  anna->Close(MOOD_HAPPY);
  Settle();
  Pass(options_.limits.ttl_max);
  Tick();
  const auto third = From("192.0.2.7", "dora");
  third->Allocate();
  Settle();
  EXPECT_EQ(third->Ended(), "");
}

// "channels_of_app APP-ID;" for each.
class NotedRefusals final : public AdmissionObserver {
 public:
  void OnRefused(Refusal refusal, const net::Address&, const std::string& app_id) override {
    heard += std::string(RefusalName(refusal)) + " " + app_id + ";";
  }
  std::string heard;
};

class RepeatedAllocationTest : public LimitsTest {
 protected:
  void Limit(const AdmissionRules& rules) {
    admission_ = std::make_unique<Admission>(rules, &refusals_);
    Restart();
  }
  std::unique_ptr<TestStream> Allocate(const std::string& name) {
    auto stream = From("192.0.2.7", name);
    stream->Allocate();
    Settle();
    return stream;
  }
  NotedRefusals refusals_;
};

TEST_F(RepeatedAllocationTest, WhoseAnswerWasLostFindsTheChannelAtTheCap) {
  Limit({.channels_per_address = 1});
  auto anna = Allocate("anna");
  const uint32_t id = anna->id();
  anna->Detach();
  const auto again = Allocate("anna");
  EXPECT_EQ(again->Ended(), "");
  EXPECT_EQ(again->id(), id);
  EXPECT_EQ(refusals_.heard, "");
  EXPECT_EQ(Allocate("bert")->Ended(), kBusy);
  EXPECT_EQ(refusals_.heard, "channels_of_address " + std::string(kApp) + ";");
}

// The store is asked for each.
TEST_F(RepeatedAllocationTest, ToLookForItCountsAsAnAllocation) {
  AdmissionRules rules = Acts(Act::kAllocate, 3);
  rules.channels_per_address = 1;
  Limit(rules);
  const auto anna = Allocate("anna");
  for (int n = 0; n < 4; ++n) EXPECT_EQ(Allocate("bert")->Ended(), kBusy);
  const std::string channels = "channels_of_address " + std::string(kApp) + ";";
  const std::string rate = "allocation_rate " + std::string(kApp) + ";";
  EXPECT_EQ(refusals_.heard, channels + channels + rate + rate);
}

class ChannelCapsTest : public LimitsTest {
 protected:
  void Cap(const ChannelCaps& caps) {
    options_.channel_caps = caps;
    admission_ = std::make_unique<Admission>(AdmissionRules{}, &refusals_);
    Restart();
  }
  std::unique_ptr<TestStream> Allocated(const std::string& name, const std::string& app_id,
                                        uint32_t id = 0) {
    auto stream = From("192.0.2.7", name);
    stream->InApp(app_id).Allocate(id);
    Settle();
    return stream;
  }

  NotedRefusals refusals_;
};

TEST_F(ChannelCapsTest, OfAnAppIdAndOfAll) {
  Cap({.in_all = 4, .per_app = 2});
  auto one = Allocated("anna", "a");
  EXPECT_EQ(Allocated("bert", "a", /*id=*/77)->Ended(), "");
  EXPECT_EQ(Allocated("carl", "a")->Ended(), kBusy);
  EXPECT_EQ(Allocated("dora", "a", /*id=*/78)->Ended(), kBusy);
  EXPECT_EQ(refusals_.heard, "channels_of_app a;channels_of_app a;");
  EXPECT_EQ(Allocated("emil", "b")->Ended(), "");
  EXPECT_EQ(Allocated("fritz", "c")->Ended(), "");
  EXPECT_EQ(Allocated("gerd", "d")->Ended(), kBusy);
  EXPECT_EQ(refusals_.heard, "channels_of_app a;channels_of_app a;channels_in_all d;");
  one->Close(MOOD_HAPPY);
  Settle();
  EXPECT_EQ(Allocated("hans", "a")->Ended(), "");
}

// Who only has not heard that he has one, and who comes back to it.
TEST_F(ChannelCapsTest, WhoHasAChannelGetsIt) {
  Cap({.in_all = 1});
  auto anna = Allocated("anna", kApp);
  const uint32_t id = anna->id();
  anna->Detach();
  EXPECT_EQ(Allocated("anna", kApp)->id(), id);
  EXPECT_EQ(Allocated("anna", kApp, id == 5 ? 6 : 5)->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
  auto bert = From("192.0.2.7", "bert");
  bert->Claim(id);
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  auto again = From("192.0.2.7", "anna");
  again->Resume(id);
  Settle();
  EXPECT_EQ(again->Ended(), "");
  EXPECT_EQ(refusals_.heard, "");
}

TEST_F(ChannelCapsTest, WhatHasEndedIsBoundedToo) {
  Cap({.in_all = 2});
  for (int n = 0; n < 4; ++n) {
    const auto stream = Allocated("anna" + std::to_string(n), "app" + std::to_string(n));
    ASSERT_EQ(stream->Ended(), "");
    stream->Close(MOOD_LONELY);
    Settle();
  }
  EXPECT_EQ(Allocated("bert", kApp)->Ended(), kBusy);
  Pass(options_.limits.quarantine);
  Tick();
  EXPECT_EQ(Allocated("carl", kApp)->Ended(), "");
}

TEST_F(ChannelCapsTest, IdsHaveTheirFewestDigits) {
  options_.min_digits = {.otherwise = 2, .of_app = {{"a", 4}}};
  Cap({});
  const auto digits = [](const TestStream& stream) { return std::to_string(stream.id()).size(); };
  EXPECT_EQ(digits(*Allocated("anna", "a")), 4);
  EXPECT_EQ(digits(*Allocated("bert", "b")), 2);
  EXPECT_EQ(Allocated("carl", "a", /*id=*/7)->id(), 7u) << "by name";
  auto dora = From("192.0.2.7", "dora");
  dora->InApp("a").Allocate(0, absl::ZeroDuration(), /*min_digits=*/6);
  Settle();
  EXPECT_EQ(digits(*dora), 6);
}

class StoredBytesTest : public ChannelCapsTest {
 protected:
  StoredBytesTest() {
    options_.max_stored_bytes = 100 << 10;
    Cap({});
  }
  // Anna has posted frames of 8 KiB, as many as she may. Nobody has accepted any.
  uint64_t PostAll(TestStream& anna) {
    uint64_t number = 0;
    while (anna.Ended().empty()) {
      anna.Post(++number, std::string(8 << 10, 'x'));
      Settle();
    }
    EXPECT_EQ(anna.Ended(), kBusy);
    return number - 1;
  }
  std::string const frame_ = std::string(8 << 10, 'x');
};

TEST_F(StoredBytesTest, WhoPostsMoreComesBackWhenThereIsRoom) {
  auto anna = Allocated("anna", kApp);
  const uint32_t id = anna->id();
  const uint64_t posted = PostAll(*anna);
  EXPECT_EQ(posted, 9u) << "three quarters of it";
  EXPECT_EQ(refusals_.heard, "stored_bytes " + std::string(kApp) + ";");
  auto bert = From("192.0.2.8", "bert");
  bert->Claim(id);
  Settle();
  bert->Ack(1);
  Settle();
  auto again = From("192.0.2.7", "anna");
  again->Resume(id);
  Settle();
  EXPECT_EQ(again->Heard().rfind("opened(" + std::to_string(id) + " stored=9", 0), 0u);
  for (const uint64_t number : {9, 10, 10}) {  // what is posted again takes no room
    again->Post(number, frame_);
    Settle();
  }
  EXPECT_EQ(again->Ended(), "");
  EXPECT_EQ(store_.StoredBytes(), 9u * frame_.size());
}

TEST_F(StoredBytesTest, ChannelsThatKeepLittleHaveRoomLeft) {
  auto anna = Allocated("anna", kApp);
  PostAll(*anna);
  auto bert = Allocated("bert", kApp);
  bert->Post(1, frame_).Post(2, frame_);
  Settle();
  EXPECT_EQ(bert->Ended(), "");
  bert->Post(3, frame_);
  Settle();
  EXPECT_EQ(bert->Ended(), kBusy);
}

TEST_F(StoredBytesTest, AChannelThatEndsGivesItsBytesBack) {
  for (const bool expires : {false, true}) {
    auto anna = Allocated(expires ? "anna" : "bert", kApp);
    const uint32_t id = anna->id();
    PostAll(*anna);
    EXPECT_EQ(store_.StoredBytes(), 9u * frame_.size());
    if (expires) {
      Pass(options_.limits.ttl_default);
      Tick();
    } else {
      auto again = From("192.0.2.7", "bert");
      again->Resume(id);
      Settle();
      again->Close(MOOD_LONELY);
      Settle();
    }
    EXPECT_EQ(store_.StoredBytes(), 0u);
  }
}

TEST_F(LimitsTest, AShortMemoryLetsInNobodyNew) {
  Limit({});
  const auto anna = From("192.0.2.7", "anna");
  admission_->SetShortOfMemory(true);
  anna->Allocate();
  Settle();
  EXPECT_EQ(anna->Ended(), kBusy);
  EXPECT_EQ(From("192.0.2.8", "bert")->Ended(), kBusy);
}

}  // namespace
}  // namespace wormhole::relay
