// The parts of a live channel that are values.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "relay/channel/record.h"
#include "relay/channel/rules.h"
#include "relay/switchboard/live_member.h"
#include "relay/switchboard/load_tracker.h"
#include "relay/switchboard/post_queue.h"
#include "relay/switchboard/waiters.h"

namespace wormhole::relay {
namespace {

// Only told apart, never called.
class Stand {
 public:
  std::shared_ptr<StreamAttachment> stream() {
    return {owner_, reinterpret_cast<StreamAttachment*>(owner_.get())};
  }

 private:
  const std::shared_ptr<int> owner_ = std::make_shared<int>();
};

TEST(LoadTracker, NothingIsKnownBeforeTheFirstLoad) {
  LoadTracker loads;
  EXPECT_TRUE(loads.blank());
  EXPECT_TRUE(loads.wanted());
  loads.Begin();
  EXPECT_FALSE(loads.blank());
  EXPECT_FALSE(loads.wanted());
  EXPECT_FALSE(loads.known());
  EXPECT_TRUE(loads.Finish());
  EXPECT_TRUE(loads.known());
  EXPECT_FALSE(loads.wanted());
}

TEST(LoadTracker, WhoComesDuringALoadWaitsForTheNext) {
  LoadTracker loads;
  const uint64_t first = loads.RequireReload();
  loads.Begin();
  const uint64_t second = loads.RequireReload();
  EXPECT_GT(second, first);
  EXPECT_EQ(loads.RequireReload(), second) << "one load serves all that came before it";
  EXPECT_FALSE(loads.wanted()) << "one at a time";
  EXPECT_TRUE(loads.Finish());
  EXPECT_TRUE(loads.Has(first));
  EXPECT_FALSE(loads.Has(second));
  EXPECT_TRUE(loads.wanted());
  loads.Begin();
  EXPECT_TRUE(loads.Finish());
  EXPECT_TRUE(loads.Has(second));
}

TEST(LoadTracker, AnAssumptionSparesTheLoadUntilOneIsRequired) {
  LoadTracker loads;
  loads.Assume();
  EXPECT_TRUE(loads.known());
  EXPECT_FALSE(loads.wanted());
  EXPECT_TRUE(loads.Has(0));
  const uint64_t needed = loads.RequireReload();
  EXPECT_FALSE(loads.Has(needed));
  EXPECT_TRUE(loads.wanted());
}

TEST(LoadTracker, ALoadThatMayMissAChangeIsNotAdopted) {
  LoadTracker loads;
  loads.Assume();
  const uint64_t needed = loads.RequireReload();
  loads.Begin();
  loads.NoteStored();
  EXPECT_FALSE(loads.Finish());
  EXPECT_FALSE(loads.Has(needed));
  EXPECT_TRUE(loads.wanted());
  loads.Begin();
  EXPECT_TRUE(loads.Finish());
  EXPECT_TRUE(loads.Has(needed));
}

TEST(LoadTracker, AChangeBeforeALoadDoesNotMatterToIt) {
  LoadTracker loads;
  loads.NoteStored();
  loads.Begin();
  EXPECT_TRUE(loads.Finish());
}

TEST(Waiters, TheFirstOneIsChosen) {
  Stand anna, bert;
  Waiters waiters;
  EXPECT_EQ(waiters.Choose(), "");
  waiters.Add({.stream = anna.stream(), .side = "anna"});
  waiters.Add({.stream = bert.stream(), .side = "bert"});
  EXPECT_EQ(waiters.Choose(), "anna");
  EXPECT_EQ(waiters.chosen(), "anna");
  waiters.Remove(anna.stream());
  EXPECT_EQ(waiters.Choose(), "bert");
}

TEST(Waiters, WhoHasAskedToCloseGoesWhenItIsChosenNoMore) {
  Stand anna, bert;
  Waiters waiters;
  waiters.Add({.stream = anna.stream(), .side = "anna"});
  waiters.Add({.stream = bert.stream(), .side = "bert"});
  waiters.Choose();
  waiters.Find(anna.stream())->close = rendezvous::v1::MOOD_LONELY;
  EXPECT_EQ(waiters.ForgetChosen(), std::vector{anna.stream()});
  EXPECT_EQ(waiters.chosen(), "");
  EXPECT_EQ(waiters.Find(anna.stream()), nullptr);
  EXPECT_NE(waiters.Find(bert.stream()), nullptr);
  EXPECT_TRUE(waiters.ForgetChosen().empty());
}

TEST(Waiters, ASideIsRemovedWithAllItsStreams) {
  Stand anna, again, bert;
  Waiters waiters;
  waiters.Add({.stream = anna.stream(), .side = "anna"});
  waiters.Add({.stream = bert.stream(), .side = "bert"});
  waiters.Add({.stream = again.stream(), .side = "anna"});
  EXPECT_EQ(waiters.RemoveSide("anna"), (std::vector{anna.stream(), again.stream()}));
  EXPECT_EQ(waiters.size(), 1u);
  EXPECT_TRUE(waiters.RemoveSide("anna").empty());
}

TEST(Waiters, TakingAllLeavesNobodyChosen) {
  Stand anna;
  Waiters waiters;
  waiters.Add({.stream = anna.stream(), .side = "anna", .cursor = 3});
  waiters.Choose();
  const std::vector<Waiter> all = waiters.TakeAll();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].cursor, 3u);
  EXPECT_TRUE(waiters.empty());
  EXPECT_EQ(waiters.chosen(), "");
}

// One that comes back, since the record has changed, would else be behind those that followed it.
TEST(PostQueue, HeldPostsWaitWhileOneIsUnderWayForAnotherVersion) {
  PostQueue posts;
  EXPECT_TRUE(posts.ReadyFor(1));
  posts.Add({.number = 1});
  posts.Add({.number = 2});
  posts.posts()[0].in_flight = true;
  posts.posts()[0].version = 3;
  EXPECT_TRUE(posts.ReadyFor(3));
  EXPECT_FALSE(posts.ReadyFor(4));
  EXPECT_EQ(posts.Return(posts.posts()[0].serial), 3u);
  EXPECT_TRUE(posts.ReadyFor(4));
}

TEST(LiveMember, AStreamIsSentFramesInOrderAndNoneTwice) {
  Stand stream;
  LiveMember member;
  EXPECT_FALSE(member.here.Expects(1)) << "no stream";
  member.Attach(stream.stream(), /*at=*/2, /*forgotten=*/2);
  EXPECT_FALSE(member.here.Expects(2));
  EXPECT_TRUE(member.here.Expects(3));
  EXPECT_FALSE(member.here.Expects(4));
  EXPECT_TRUE(member.here.Lacks(3));
  EXPECT_FALSE(member.here.Lacks(2));
  member.here.reading = true;
  EXPECT_FALSE(member.here.Expects(3)) << "the store is about to give it";
  EXPECT_FALSE(member.here.Lacks(3));
}

TEST(LiveMember, AStreamWhoseFramesAreGoneGetsNone) {
  Stand stream;
  LiveMember member;
  member.Attach(stream.stream(), /*at=*/1, /*forgotten=*/2);
  EXPECT_FALSE(member.here.Expects(2));
  EXPECT_FALSE(member.here.Expects(3));
  EXPECT_FALSE(member.here.Lacks(5));
}

TEST(LiveMember, ThirdPartiesThatItHasMissedAreToldOnce) {
  Stand first, second;
  LiveMember member;
  member.AddThirdParties(2);
  member.Attach(first.stream(), 0, 0);
  EXPECT_EQ(member.here.third_parties, 2u);
  EXPECT_TRUE(member.here.pending_status);
  member.Detach();
  member.Attach(second.stream(), 0, 0);
  EXPECT_EQ(member.here.third_parties, 0u);
  EXPECT_FALSE(member.here.pending_status);
}

TEST(LiveMember, ACloseFollowsWhatCameBeforeIt) {
  Stand stream;
  LiveMember member;
  member.Attach(stream.stream(), 0, 0);
  member.posts.Add({.number = 1, .stream = stream.stream()});
  member.accepting = true;
  member.AskToClose(stream.stream(), rendezvous::v1::MOOD_HAPPY);
  EXPECT_FALSE(member.ReadyToClose());
  member.posts.Take(1);
  EXPECT_TRUE(member.ReadyToClose());  // it takes the acknowledgement along
}

TEST(LiveMember, TheFirstMoodCountsAndAFailedStreamTakesItsRequestsAlong) {
  Stand first, second;
  LiveMember member;
  member.AskToClose(first.stream(), rendezvous::v1::MOOD_SCARY);
  member.AskToClose(second.stream(), rendezvous::v1::MOOD_HAPPY);
  EXPECT_EQ(member.close, rendezvous::v1::MOOD_SCARY);
  member.posts.Add({.number = 1, .stream = first.stream()});
  member.posts.Add({.number = 2, .stream = second.stream()});
  member.Drop(first.stream());
  EXPECT_EQ(member.posts.size(), 1u);
  EXPECT_TRUE(member.close.has_value()) << "the other stream's";
  member.Drop(second.stream());
  EXPECT_FALSE(member.close.has_value());
  EXPECT_FALSE(member.busy());
}

TEST(LiveMember, TakesPostsUpToTheWindow) {
  const ChannelLimits limits{.window_frames = 2, .window_bytes = 10};
  LiveMember member;
  member.posts.Add({.number = 1, .frame = "12345"});
  member.posts.Add({.number = 2, .frame = "12345"});
  EXPECT_TRUE(member.TakesPosts(limits));
  member.posts.Add({.number = 3, .frame = "1"});
  EXPECT_FALSE(member.TakesPosts(limits));
}

TEST(PostQueue, WaitsWhileAPostOfAnotherVersionMayComeBack) {
  PostQueue posts;
  posts.Add({.number = 1, .in_flight = true, .version = 4});
  posts.Add({.number = 2});
  EXPECT_TRUE(posts.ReadyFor(4));
  EXPECT_FALSE(posts.ReadyFor(5));
  EXPECT_EQ(posts.Return(1), 4u);
  EXPECT_TRUE(posts.ReadyFor(5));
}

}  // namespace
}  // namespace wormhole::relay
