// New channels and their ids.
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "relay/switchboard/testing/switchboard_harness.h"

namespace wormhole::relay {
namespace {

using rendezvous::v1::MOOD_HAPPY;
using rendezvous::v1::MOOD_LONELY;
using rendezvous::v1::MOOD_SCARY;

class Allocation : public SwitchboardTest {
 protected:
  // Somebody joins the initiator's channel, and both close it happily.
  void SpendUp(TestStream& initiator) {
    auto other = Stream("other");
    other->Claim(initiator.id());
    Settle();
    other->Close(MOOD_HAPPY);
    initiator.Close(MOOD_HAPPY);
    Settle();
    ASSERT_EQ(other->Ended() + initiator.Ended(), "OKOK");
  }

  // Nine allocate, and the last one's channel is spent. Returns its id, the only one of one digit
  // that may be drawn.
  uint32_t SpendTheNinth() {
    std::unique_ptr<TestStream> stream;
    for (int i = 0; i < 9; ++i) {
      stream = Stream("client" + std::to_string(i));
      stream->Allocate();
      Settle();
    }
    SpendUp(*stream);
    return stream->id();
  }

  // Another relay has made a channel in the place of the one that has ended. Returns its record.
  ChannelRecord UsedAgain(uint32_t id) {
    EXPECT_EQ(store_.contents().Put({.app_id = kApp, .id = id}, Stored(id)->record.version,
                                    NewChannel(SideOf("emil"), "", false, absl::Hours(1),
                                               absl::UnixEpoch() + now_, options_.limits)),
              PutOutcome::kDone);
    return Stored(id)->record;
  }
};

TEST_F(Allocation, IsToldOnlyWhenItIsDurable) {
  auto anna = Stream("anna");
  anna->Allocate();
  EXPECT_EQ(store_.pending(), "Put") << "an id believed to be free needs no look";
  EXPECT_EQ(anna->Heard(), "");
  EXPECT_FALSE(anna->reads()) << "requests wait until the Open is answered";
  Settle();
  EXPECT_EQ(anna->Heard(),
            "opened(" + std::to_string(anna->id()) + " stored=0 peer=absent:0-0 cursor=0)");
  EXPECT_TRUE(anna->reads());
}

TEST_F(Allocation, HasAtLeastTheDigitsThatWereAskedFor) {
  auto anna = Stream("anna");
  anna->Allocate(0, absl::ZeroDuration(), /*min_digits=*/3);
  Settle();
  EXPECT_GE(anna->id(), 100u);
  EXPECT_LE(anna->id(), 999u);
}

TEST_F(Allocation, OpenedTellsTheTerms) {
  options_.motd = "hello";
  options_.heartbeat = absl::Milliseconds(12'500);
  Restart();
  auto anna = Stream("anna");
  anna->Allocate(0, absl::Minutes(7));
  Settle();
  const auto& opened = anna->last().opened();
  EXPECT_EQ(opened.expires_at().seconds(), absl::ToInt64Seconds(now_) + 7 * 60);
  EXPECT_EQ(opened.limits().max_frame_bytes(), options_.limits.max_frame_bytes);
  EXPECT_EQ(opened.limits().window_frames(), options_.limits.window_frames);
  EXPECT_EQ(opened.limits().window_bytes(), options_.limits.window_bytes);
  EXPECT_EQ(opened.heartbeat_interval().seconds(), 12);
  EXPECT_EQ(opened.heartbeat_interval().nanos(), 500'000'000);
  EXPECT_EQ(opened.motd(), "hello");
}

TEST_F(Allocation, NineGetOneDigitTheTenthTwoWhateverOtherAppsDo) {
  std::vector<std::unique_ptr<TestStream>> streams;
  std::set<uint32_t> ids;
  for (int i = 0; i < 10; ++i) {
    streams.push_back(Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
  }
  Settle();
  for (int i = 0; i < 9; ++i) ids.insert(streams[i]->id());
  EXPECT_EQ(ids, (std::set<uint32_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_GE(streams[9]->id(), 10u);
  EXPECT_LE(streams[9]->id(), 99u);

  auto remote = Stream("elsewhere");
  remote->InApp("another.example").Allocate();
  Settle();
  EXPECT_LE(remote->id(), 9u);
}

TEST_F(Allocation, IsIdempotentBySide) {
  auto first = Stream("anna");
  first->Allocate();
  Settle();
  first->Post(1, "a");
  Settle();
  auto second = Stream("anna");
  second->Allocate();
  Settle();
  EXPECT_EQ(second->id(), first->id());
  EXPECT_EQ(second->Heard(),
            "opened(" + std::to_string(first->id()) + " stored=1 peer=absent:0-0 cursor=0)");
  EXPECT_EQ(first->Ended(), "ABORTED SUPERSEDED");
  // The id that was drawn in vain is free again.
  std::set<uint32_t> ids = {first->id()};
  std::vector<std::unique_ptr<TestStream>> more;
  for (int i = 0; i < 8; ++i) {
    more.push_back(Stream("client" + std::to_string(i)));
    more.back()->Allocate();
    Settle();
    ids.insert(more.back()->id());
  }
  EXPECT_EQ(ids.size(), 9u);
  EXPECT_EQ(*ids.rbegin(), 9u);
}

TEST_F(Allocation, IsIdempotentWhileTheFirstIsStillUnderWay) {
  auto first = Stream("anna");
  auto second = Stream("anna");
  first->Allocate();
  second->Allocate();
  Settle();
  EXPECT_EQ(second->id(), first->id());
  EXPECT_EQ(first->Ended(), "ABORTED SUPERSEDED");
  EXPECT_EQ(second->Ended(), "");
}

TEST_F(Allocation, ByNameIsIdempotentAndElseTaken) {
  auto anna = Stream("anna");
  anna->Allocate(77);
  Settle();
  EXPECT_EQ(anna->id(), 77u);
  EXPECT_TRUE(Stored(77)->record.named);
  auto again = Stream("anna");
  again->Allocate(77);
  auto carl = Stream("carl");
  carl->Allocate(77);
  auto anna_elsewhere = Stream("anna");
  anna_elsewhere->Allocate(78);
  Settle();
  EXPECT_EQ(again->id(), 77u);
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS TAKEN");
  EXPECT_EQ(anna_elsewhere->Ended(), "ALREADY_EXISTS SIDE_IN_USE");
}

TEST_F(Allocation, ByNameOfADrawnOrRestingIdIsTaken) {
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  auto carl = Stream("carl");
  carl->Allocate(anna->id());
  Settle();
  EXPECT_EQ(carl->Ended(), "ALREADY_EXISTS TAKEN");
  anna->Close(MOOD_LONELY);
  Settle();
  auto dora = Stream("dora");
  dora->Allocate(anna->id());
  Settle();
  EXPECT_EQ(dora->Ended(), "ALREADY_EXISTS TAKEN");
  Pass(options_.limits.quarantine);
  Tick();
  auto emil = Stream("emil");
  emil->Allocate(anna->id());
  Settle();
  EXPECT_EQ(emil->id(), anna->id());
}

TEST_F(Allocation, AfterItsChannelHasEndedIsNotFound) {
  auto anna = Stream("anna");
  anna->Allocate(5);
  Settle();
  anna->Close(MOOD_SCARY);
  Settle();
  auto again = Stream("anna");
  again->Allocate(5);
  auto drawn = Stream("anna");
  drawn->Allocate();
  Settle();
  EXPECT_EQ(again->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
  EXPECT_EQ(drawn->Ended(), "NOT_FOUND CLOSED MOOD_SCARY");
}

TEST_F(Allocation, ASpentIdIsDrawnLastAndStartsAnew) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 9; ++i) {
    streams.push_back(Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
    Settle();
  }
  const uint32_t spent = streams[3]->id();
  streams[3]->Post(1, "old");
  SpendUp(*streams[3]);
  auto next = Stream("next");
  next->Allocate();
  Settle();
  EXPECT_EQ(next->Heard(),
            "opened(" + std::to_string(spent) + " stored=0 peer=absent:0-0 cursor=0)");
  EXPECT_EQ(Stored(spent)->record.version, 5u);
  auto old = Stream("client3");
  old->Resume(spent);
  Settle();
  EXPECT_EQ(old->Ended(), "PERMISSION_DENIED NOT_MEMBER");
}

TEST_F(Allocation, DrawsAgainWhenAnotherRelayHasTheId) {
  for (uint32_t id = 1; id <= 8; ++id) {
    store_.contents().Put({.app_id = kApp, .id = id}, 0,
                          NewChannel("side of another" + std::to_string(id), "", false,
                                     absl::Hours(1), absl::UnixEpoch() + now_, options_.limits));
  }
  auto anna = Stream("anna");
  anna->Allocate();
  Settle();
  EXPECT_EQ(anna->id(), 9u);
}

TEST_F(Allocation, OfAStreamThatIsGoneMakesNothing) {
  auto anna = Stream("anna");
  anna->Allocate(7);
  anna->Detach();
  Settle();
  EXPECT_FALSE(Stored(7).has_value());
  auto bert = Stream("bert");
  bert->Allocate(7);
  Settle();
  EXPECT_EQ(bert->id(), 7u);
}

TEST_F(Allocation, OfAStreamThatGoesMeanwhileStays) {
  auto anna = Stream("anna");
  anna->Allocate();
  anna->Detach();
  Settle();
  auto again = Stream("anna");
  again->Allocate();
  Settle();
  EXPECT_NE(again->id(), 0u);
  int channels = 0;
  store_.contents().ForEach([&](const ChannelKey&, IdState) { ++channels; });
  EXPECT_EQ(channels, 1);
}

TEST_F(Allocation, WhoseAnswerTheStoreLostIsFoundAgain) {
  auto anna = Stream("anna");
  anna->Allocate();
  store_.Fail();  // it has had its effect
  EXPECT_EQ(anna->Ended(), "UNAVAILABLE STORE_AWAY");
  for (int i = 0; i < 5; ++i) {
    auto again = Stream("anna");
    again->Allocate();
    Settle();
    EXPECT_EQ(again->Ended(), "");
    EXPECT_TRUE(Stored(again->id())->record.member(Role::kInitiator).side == SideOf("anna"));
  }
}

// Nine channels that are ended in a row, again and again, do not make their ids those of others.
TEST_F(Allocation, ARestingIdIsNotDrawn) {
  std::set<uint32_t> ids;
  for (int i = 0; i < 9; ++i) {
    auto stream = Stream("client" + std::to_string(i));
    stream->Allocate();
    Settle();
    EXPECT_LE(stream->id(), 9u);
    EXPECT_TRUE(ids.insert(stream->id()).second);
    stream->Close(i % 2 == 0 ? MOOD_LONELY : MOOD_HAPPY);  // nobody else has come
    Settle();
  }
  auto longer = Stream("anna");
  longer->Allocate();
  Settle();
  EXPECT_GE(longer->id(), 10u);
  longer->Detach();
  Pass(options_.limits.quarantine);
  Tick();
  auto back = Stream("bert");
  back->Allocate();
  Settle();
  EXPECT_LE(back->id(), 9u);
}

TEST_F(Allocation, OfASpentIdThatFailsLeavesItSpent) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 9; ++i) {
    streams.push_back(Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
    Settle();
  }
  SpendUp(*streams.back());
  auto first = Stream("first");
  first->Allocate();
  ASSERT_EQ(store_.pending(), "Load") << "the only id of one digit that is not taken is spent";
  store_.Fail();
  EXPECT_EQ(first->Ended(), "UNAVAILABLE STORE_AWAY");
  auto second = Stream("second");
  second->Allocate();
  EXPECT_EQ(store_.pending(), "Load") << "it is still known to be spent";
  Settle();
  EXPECT_EQ(second->id(), streams.back()->id());
}

TEST_F(Allocation, OfASpentIdThatIsTakenAgainHasAnother) {
  const uint32_t id = SpendTheNinth();
  const ChannelRecord theirs = UsedAgain(id);
  auto next = Stream("next");
  next->Allocate();
  Settle();
  EXPECT_EQ(next->Ended(), "");
  EXPECT_GE(next->id(), 10u);
  EXPECT_EQ(Stored(id)->record, theirs);
}

// Nothing lists a channel that the store has forgotten. The id would rest for ever.
TEST_F(Allocation, OfAnIdWhoseChannelTheStoreForgotWithoutAnswering) {
  std::unique_ptr<TestStream> stream;
  for (int i = 0; i < 9; ++i) {
    stream = Stream("client" + std::to_string(i));
    stream->Allocate();
    Settle();
  }
  const uint32_t id = stream->id();
  stream->Close(MOOD_LONELY);
  Settle();
  Pass(options_.limits.quarantine + absl::Seconds(1));
  switchboard_->Tick();
  while (store_.pending().find("Erase") == std::string::npos) ASSERT_TRUE(store_.Answer());
  ASSERT_TRUE(store_.Fail("Erase"));
  ASSERT_FALSE(Stored(id).has_value());
  auto next = Stream("next");
  next->Allocate();
  Settle();
  EXPECT_EQ(next->id(), id);
}

// Somebody may still be told the id by the one who has given up.
TEST_F(Allocation, OfASpentIdThatRestsByNowHasAnother) {
  const uint32_t id = SpendTheNinth();
  const ChannelRecord ended = *Close(UsedAgain(id), Role::kInitiator, MOOD_LONELY,
                                     absl::UnixEpoch() + now_, options_.limits);
  store_.contents().Put({.app_id = kApp, .id = id}, ended.version, ended);
  auto next = Stream("next");
  next->Allocate();
  Settle();
  EXPECT_EQ(next->Ended(), "");
  EXPECT_GE(next->id(), 10u);
  auto late = Stream("late");
  late->Claim(id);
  Settle();
  EXPECT_EQ(late->Ended(), "NOT_FOUND CLOSED MOOD_LONELY");
}

TEST_F(Allocation, ByNameThatFailsSaysNothingOfTheId) {
  std::vector<std::unique_ptr<TestStream>> streams;
  for (int i = 0; i < 9; ++i) {
    streams.push_back(Stream("client" + std::to_string(i)));
    streams.back()->Allocate();
    Settle();
  }
  const uint32_t taken = streams.back()->id();
  streams.back()->Detach();
  auto named = Stream("named");
  named->Allocate(taken);
  ASSERT_EQ(store_.pending(), "Load");
  store_.Fail();
  EXPECT_EQ(named->Ended(), "UNAVAILABLE STORE_AWAY");
  auto drawn = Stream("drawn");
  drawn->Allocate();
  store_.Answer();
  EXPECT_GE(drawn->id(), 10u) << "without a try of the id that is taken";
}

TEST_F(Allocation, IdsInUseAreReadAtTheStart) {
  std::set<uint32_t> ids;
  for (int i = 0; i < 9; ++i) {
    auto stream = Stream("client" + std::to_string(i));
    stream->Allocate();
    Settle();
    ids.insert(stream->id());
    if (i == 4) {
      SpendUp(*stream);
    } else if (i == 5) {
      stream->Close(MOOD_LONELY);
      Settle();
    }
    stream->Detach();
  }
  Restart();
  auto next = Stream("next");
  next->Allocate();
  EXPECT_EQ(store_.pending(), "Load") << "a spent id is drawn: its ended channel is replaced";
  Settle();
  EXPECT_LE(next->id(), 9u);
  auto last = Stream("last");
  last->Allocate();
  EXPECT_EQ(store_.pending(), "Put");
  Settle();
  EXPECT_GE(last->id(), 10u);
}

TEST_F(Allocation, ExpiredIdsAreFreedByAndBy) {
  auto anna = Stream("anna");
  anna->Allocate(3, absl::Minutes(5));
  Settle();
  anna->Detach();
  Pass(absl::Minutes(5));
  Tick();
  EXPECT_EQ(Stored(3)->record.life, Life::kExpired);
  Pass(options_.limits.quarantine - absl::Seconds(1));
  Tick();
  EXPECT_TRUE(Stored(3).has_value());
  Pass(absl::Seconds(1));
  Tick();
  EXPECT_FALSE(Stored(3).has_value());
}

}  // namespace
}  // namespace wormhole::relay
