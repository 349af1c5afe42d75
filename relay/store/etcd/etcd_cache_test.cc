#include "relay/store/etcd/etcd_cache.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

using etcdserverpb::WatchResponse;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Role kInitiator = Role::kInitiator;
const ChannelKey kKey = {"example.com/app1", 7};

class Listener final : public StoreListener {
 public:
  void OnId(const ChannelKey& key, IdState) override { Note("id ", key.id); }
  void OnChanged(const ChannelKey& key, const ChannelSnapshot*) override {
    Note("record ", key.id);
  }
  void OnLog(const ChannelRef&, Role, const LogState& log, const StoredFrame* frame) override {
    Note("log ", absl::StrCat(log.stored, frame != nullptr ? " " : "",
                              frame != nullptr ? frame->frame : ""));
  }
  void OnPresence(const ChannelRef&, Role, bool remote) override { Note("elsewhere ", remote); }
  void OnThirdParties(const ChannelRef&, uint32_t count) override { Note("third parties ", count); }
  void OnReset(bool restored) override { Note(restored ? "restored" : "gap", ""); }

  std::vector<std::string> notes;

 private:
  template <typename T>
  void Note(const char* what, const T& value) {
    notes.push_back(absl::StrCat(what, value));
  }
};

class ViewTest : public ::testing::Test {
 protected:
  ViewTest() {
    record_.version = 1;
    record_.due_at = absl::FromUnixSeconds(100);
    record_.member(kInitiator).side = "i";
    cache_.Start(&listener_);
    Learn();
  }

  // What an answer brings.
  void Learn() {
    cache_.Update(kKey, [&](ChannelState& state) {
      state.record.Take(10, record_);
      return true;
    });
  }
  void Happen(int64_t revision, const std::string& key, const std::string& value) {
    WatchResponse response;
    etcdserverpb::Event& event = *response.add_events();
    event.mutable_kv()->set_key(key);
    event.mutable_kv()->set_value(value);
    event.mutable_kv()->set_create_revision(revision);
    event.mutable_kv()->set_mod_revision(revision);
    cache_.TakeEvents(response);
  }

  const EtcdKeys keys_{"w/"};
  ChannelRecord record_;
  Listener listener_;
  std::vector<std::string> own_;
  EtcdCache cache_{&keys_, "one", [this](const ChannelRef& channel, Role) {
                     own_.push_back(absl::StrCat(channel.key.id, " of ", channel.initiator));
                   }};
};

TEST_F(ViewTest, OthersChangesAreNewsAndOwnOnesAreNot) {
  Happen(11, keys_.Log(kKey, kInitiator), WriteLog({.stored = 1}, "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("log 1"));
  Happen(12, keys_.Log(kKey, kInitiator), WriteLog({.stored = 2}, "one"));
  EXPECT_THAT(listener_.notes, ElementsAre("log 1"));
}

// A batch that had failed, and whose calls were given up, takes effect.
TEST_F(ViewTest, WhatOwnCallsDoAfterTheyHaveFailedIsNews) {
  cache_.Forget(kKey);
  Learn();
  Happen(11, keys_.Log(kKey, kInitiator), WriteLog({.stored = 1}, "one"));
  EXPECT_THAT(listener_.notes, ElementsAre("log 1"));
  record_.version = 2;
  Happen(12, keys_.Record(kKey), WriteRecord(record_, "one"));
  EXPECT_THAT(listener_.notes, ElementsAre("log 1", "id 7", "record 7"));
}

TEST_F(ViewTest, WhatOwnCallsDoAfterTheyHaveFailedIsNewsOfAChannelThatIsNotAtHandToo) {
  cache_.Forget(kKey);
  Happen(11, keys_.Log(kKey, kInitiator), WriteLog({.stored = 1}, "one"));
  EXPECT_THAT(listener_.notes, ElementsAre("record 7"));
}

// Answers have brought what is newer. Else an id in use would be told to be free, for good.
TEST_F(ViewTest, ARecordThatIsOlderThanWhatIsKnownIsNoNews) {
  Happen(9, keys_.Record(kKey), WriteRecord(record_, "two"));
  WatchResponse gone;
  etcdserverpb::Event& event = *gone.add_events();
  event.set_type(etcdserverpb::Event::DELETE);
  event.mutable_kv()->set_key(keys_.Record(kKey));
  event.mutable_kv()->set_mod_revision(9);
  cache_.TakeEvents(gone);
  EXPECT_THAT(listener_.notes, IsEmpty());
  Happen(11, keys_.Record(kKey), WriteRecord(record_, "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("id 7", "record 7"));
}

TEST_F(ViewTest, AfterAGapNothingIsKnownOfAChannel) {
  ASSERT_TRUE(cache_.Find(kKey).has_value());
  cache_.TakeRecords({}, 20, /*restored=*/false);
  EXPECT_FALSE(cache_.Find(kKey).has_value());
  EXPECT_THAT(listener_.notes, ElementsAre("id 7", "gap"));
}

TEST_F(ViewTest, AFrameComesWithItsLog) {
  Happen(11, keys_.Frame(kKey, kInitiator, 1), WriteFrame("one", "two"));
  Happen(11, keys_.Log(kKey, kInitiator), WriteLog({.stored = 1, .last = {{.size = 3}}}, "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("log 1 one"));
}

// An answer has brought a later channel with the id, in which a frame has the same number.
TEST_F(ViewTest, AnEarlierChannelsFrameIsNotTheLaterOnes) {
  record_.member(kInitiator).side = "j";
  cache_.Update(kKey, [&](ChannelState& state) {
    state.record.Take(20, record_);
    state.log(kInitiator).Take(21, EtcdLog{.stored = 1, .last = {{.size = 3}}});
    return false;
  });
  Happen(11, keys_.Frame(kKey, kInitiator, 1), WriteFrame("old", "two"));
  Happen(11, keys_.Log(kKey, kInitiator), WriteLog({.stored = 1, .last = {{.size = 3}}}, "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("log 1"));
}

TEST_F(ViewTest, OwnPresenceIsToldAsLongAsItIsThere) {
  Happen(11, keys_.Presence(kKey, kInitiator), WritePresence("one"));
  EXPECT_THAT(own_, ElementsAre("7 of i"));
  Happen(12, keys_.Presence(kKey, kInitiator), WritePresence("two"));
  Happen(11, keys_.Presence(kKey, kInitiator), WritePresence("one"));  // comes once more
  EXPECT_THAT(own_, ElementsAre("7 of i"));
  cache_.Forget(kKey);
  Happen(13, keys_.Presence(kKey, kInitiator), WritePresence("one"));
  EXPECT_THAT(own_, ElementsAre("7 of i", "7 of "));
}

TEST_F(ViewTest, OwnThirdPartiesAreCountedOnce) {
  cache_.Forget(kKey);
  Happen(11, keys_.Notice(kKey), WriteNotice(2, "i", "one"));
  EXPECT_THAT(listener_.notes, IsEmpty());
  Happen(12, keys_.Notice(kKey), WriteNotice(3, "i", "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("third parties 3"));
}

// A watch begins again with the revision that it had last, whose events may have come in part.
TEST_F(ViewTest, ThirdPartiesThatAreToldOfAgainCountOnce) {
  const ChannelKey other = {kKey.app_id, 8};
  Happen(11, keys_.Notice(kKey), WriteNotice(2, "i", "two"));
  Happen(11, keys_.Notice(kKey), WriteNotice(2, "i", "two"));
  Happen(11, keys_.Notice(other), WriteNotice(4, "i", "two"));
  Happen(10, keys_.Notice(kKey), WriteNotice(1, "i", "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("third parties 2", "third parties 4"));
  Happen(12, keys_.Notice(kKey), WriteNotice(5, "i", "two"));
  EXPECT_THAT(listener_.notes,
              ElementsAre("third parties 2", "third parties 4", "third parties 5"));
}

// Its history begins anew.
TEST_F(ViewTest, AnEtcdThatWasRestoredTellsOfThirdPartiesAgain) {
  Happen(11, keys_.Notice(kKey), WriteNotice(2, "i", "two"));
  cache_.TakeRecords({}, 5, /*restored=*/true);
  listener_.notes.clear();
  Happen(6, keys_.Notice(kKey), WriteNotice(3, "i", "two"));
  EXPECT_THAT(listener_.notes, ElementsAre("third parties 3"));
}

}  // namespace
}  // namespace wormhole::relay
