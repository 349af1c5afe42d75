// Relays with clocks that are right and wrong, over an etcd that is late, away or restored.
#include "relay/store/etcd/clocks.h"

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace wormhole::relay {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(3);
constexpr absl::Duration kRight = absl::ZeroDuration();

// One that has a machine. What the others write comes at once, unless it is held.
class Member {
 public:
  // Its machine's clock is `ahead`.
  Member(std::string name, absl::Duration ahead)
      : name_(std::move(name)), ahead_(ahead), clocks_(name_, kInterval) {}

  const std::string& name() const { return name_; }
  ClockReading Read() { return time_.Read(Machine()); }
  // How far its time is ahead of the true one.
  absl::Duration Error() { return Read().time - (absl::UnixEpoch() + now_); }
  bool outvoted() { return clocks_.IsOutvoted(Read()); }
  bool on_loan() const { return clocks_.on_loan(); }

  void Go(absl::Duration by) { now_ += by; }
  void Set(absl::Duration forward) { ahead_ += forward; }
  // As time services do: both clocks of the machine run faster.
  void Slew(absl::Duration forward) {
    ahead_ += forward;
    slewed_ += forward;
  }
  void TakeAll(const std::vector<ClockSighting>& all, bool restored) {
    Apply(clocks_.TakeAll(all, restored, Read()));
  }
  void Hear(const ClockSighting& one) {
    waiting_.push_back(one);
    if (!held_) Release();
  }
  void Hold() { held_ = true; }
  void Release() {
    held_ = false;
    for (; !waiting_.empty(); waiting_.pop_front()) Apply(clocks_.Take(waiting_.front(), Read()));
  }

 private:
  MachineTime Machine() const {
    return {.wall = absl::UnixEpoch() + now_ + ahead_, .boot = now_ + slewed_ - absl::Hours(7)};
  }
  void Apply(absl::Duration by) {
    if (by != kRight) time_.Shift(by);
  }

  const std::string name_;
  absl::Duration now_ = absl::Hours(400'000);
  absl::Duration ahead_;
  absl::Duration slewed_;
  SteadiedTime time_{Machine()};
  GroupClocks clocks_;
  bool held_ = false;
  std::deque<ClockSighting> waiting_;
};

class ClocksTest : public ::testing::Test {
 protected:
  // It starts, and finds what there is. Its key is written when it first tells.
  Member& Start(const std::string& name, absl::Duration ahead = kRight) {
    members_.push_back(std::make_unique<Member>(name, ahead));
    Member& member = *members_.back();
    member.Go(passed_);
    member.TakeAll(All(), /*restored=*/false);
    return member;
  }
  Member& Join(const std::string& name, absl::Duration ahead = kRight) {
    Member& member = Start(name, ahead);
    Tell(member);
    return member;
  }

  void Tell(Member& member) {
    const ClockReading now = member.Read();
    Write(member.name(), ClockReport{.time = now.time, .offset = now.offset});
  }
  void Write(const std::string& key, const ClockReport& report) {
    ClockSighting& kept = kept_[key];
    ++revision_;
    const int64_t created = kept.report ? kept.created : revision_;
    kept = {.key = key, .created = created, .modified = revision_, .report = report};
    for (const auto& other : members_) other->Hear(kept);
  }
  // Its lease ends.
  void Drop(const std::string& key) {
    kept_.erase(key);
    for (const auto& other : members_) other->Hear({.key = key, .modified = ++revision_});
  }
  void Leave(Member& member) {
    const std::string key = member.name();
    std::erase_if(members_, [&](const auto& one) { return one.get() == &member; });
    Drop(key);
  }
  // Time passes, in which nobody tells.
  void Pass(absl::Duration time) {
    passed_ += time;
    for (const auto& member : members_) member->Go(time);
  }
  // Time passes in which all tell, but those that are `silent`.
  void Live(absl::Duration time, const Member* silent = nullptr) {
    for (absl::Duration gone; gone < time; gone += kInterval) {
      Pass(kInterval);
      for (const auto& member : members_) {
        if (member.get() != silent) Tell(*member);
      }
    }
  }
  std::vector<ClockSighting> All() const {
    std::vector<ClockSighting> all;
    for (const auto& [key, sighting] : kept_) all.push_back(sighting);
    return all;
  }

  absl::Duration passed_;
  int64_t revision_ = 0;
  std::map<std::string, ClockSighting> kept_;
  std::vector<std::unique_ptr<Member>> members_;
};

TEST_F(ClocksTest, WhatIsToldIsReadBack) {
  const ClockReport report{.time = absl::FromUnixMicros(1'700'000'000'123'456),
                           .offset = absl::Hours(-2) - absl::Microseconds(1)};
  const auto read = ReadClock(WriteClock(report, "writer"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->time, report.time);
  EXPECT_EQ(read->offset, report.offset);
  EXPECT_FALSE(ReadClock("").has_value());
  EXPECT_FALSE(ReadClock("\xff").has_value());
}

TEST_F(ClocksTest, ARelayIsInNeedOfNobody) {
  Member& only = Join("only", absl::Hours(2));
  Live(absl::Minutes(1));
  EXPECT_EQ(only.Error(), absl::Hours(2));
  EXPECT_FALSE(only.outvoted());
}

TEST_F(ClocksTest, WhoAgreesWithinAMinuteKeepsItsOwn) {
  Member& elder = Join("elder");
  for (const absl::Duration ahead : {absl::Seconds(59), absl::Seconds(-59)}) {
    Member& later = Join(absl::FormatDuration(ahead), ahead);
    Live(absl::Minutes(1));
    EXPECT_EQ(later.Error(), ahead);
    EXPECT_FALSE(later.outvoted());
  }
  EXPECT_EQ(elder.Error(), kRight);
  EXPECT_FALSE(elder.outvoted());
}

TEST_F(ClocksTest, WhoJoinsGoesByTheElders) {
  Member& elder = Join("elder");
  for (const absl::Duration ahead : {absl::Seconds(61), absl::Seconds(-61), absl::Hours(2),
                                     absl::Hours(-2), absl::Hours(24 * 365 * 50)}) {
    Member& later = Start(absl::FormatDuration(ahead), ahead);
    EXPECT_EQ(later.Error(), kRight) << ahead;  // before it has said or served anything
    EXPECT_TRUE(later.outvoted());
    Tell(later);
    Live(absl::Minutes(1));
    EXPECT_EQ(later.Error(), kRight) << ahead;
    EXPECT_EQ(later.Read().offset, -ahead);
    EXPECT_TRUE(later.outvoted());
    EXPECT_EQ(elder.Error(), kRight);
    EXPECT_FALSE(elder.outvoted());
    Leave(later);
  }
}

// The one whose key comes first is the elder.
TEST_F(ClocksTest, OfTwoThatStartAtOnceOneFollows) {
  for (const absl::Duration ahead : {absl::Hours(2), absl::Hours(-2)}) {
    Member& a = Start("a", ahead);
    Member& b = Start("b");
    Tell(a);
    Tell(b);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(a.Error(), ahead);
      EXPECT_EQ(b.Error(), ahead);
      Live(kInterval);
    }
    EXPECT_TRUE(b.outvoted());
    Leave(a);
    EXPECT_EQ(b.Error(), ahead);  // nothing jumps
    Leave(b);
  }
}

TEST_F(ClocksTest, AWrongElderIsOutvoted) {
  Member& wrong = Join("wrong", absl::Hours(2));
  Member& b = Join("b");
  Member& c = Join("c");
  Live(absl::Seconds(6));
  EXPECT_TRUE(wrong.outvoted());
  EXPECT_FALSE(b.outvoted());
  EXPECT_FALSE(c.outvoted());
  for (Member* member : {&wrong, &b, &c}) EXPECT_EQ(member->Error(), absl::Hours(2));
}

// Its time has become the group's, which holds whoever goes.
TEST_F(ClocksTest, NothingJumpsWhenTheEldestGoes) {
  Member& wrong = Join("wrong", absl::Hours(-2));
  Member& b = Join("b");
  Live(absl::Seconds(6));
  Leave(wrong);
  EXPECT_EQ(b.Error(), absl::Hours(-2));
  Live(absl::Minutes(1));
  Member& c = Join("c", absl::Hours(5));
  Live(absl::Minutes(1));
  EXPECT_EQ(b.Error(), absl::Hours(-2));
  EXPECT_EQ(c.Error(), absl::Hours(-2));
  Member& d = Join("d");
  Live(absl::Minutes(1));
  EXPECT_FALSE(b.outvoted());
  EXPECT_TRUE(c.outvoted());
  EXPECT_FALSE(d.outvoted());
}

TEST_F(ClocksTest, AClockThatIsSetRightIsItsOwnAgain) {
  Join("elder");
  Member& later = Join("later", absl::Hours(2));
  Live(absl::Seconds(6));
  later.Set(absl::Hours(-2));
  EXPECT_FALSE(later.outvoted());
  EXPECT_EQ(later.Error(), kRight);
  EXPECT_EQ(later.Read().offset, kRight);
}

TEST_F(ClocksTest, AClockThatIsSlewedRightIsItsOwnAgain) {
  for (const int seconds : {90, -90, 63, -63, 600, -600}) {
    Member& elder = Join("elder");
    Member& later = Join("later", absl::Seconds(seconds));
    Live(absl::Seconds(6));
    for (int i = 0; i < 30; ++i) {
      later.Slew(-absl::Seconds(seconds) / 30);
      Live(absl::Seconds(9));
      EXPECT_LE(absl::AbsDuration(later.Error()), 2 * kClockTolerance) << seconds;
    }
    EXPECT_EQ(later.Error(), kRight) << seconds;
    EXPECT_EQ(later.Read().offset, kRight);
    EXPECT_FALSE(later.outvoted());
    Leave(later);
    Leave(elder);
  }
}

TEST_F(ClocksTest, OneThatWasSetIsOutvotedAndAllThatWereAreNot) {
  Member& a = Join("a");
  Member& b = Join("b");
  Member& c = Join("c");
  a.Set(absl::Hours(72));
  Live(absl::Seconds(6));
  EXPECT_TRUE(a.outvoted());
  EXPECT_FALSE(b.outvoted());
  b.Set(absl::Hours(72));
  c.Set(absl::Hours(72));
  Live(absl::Seconds(6));
  for (Member* member : {&a, &b, &c}) {
    EXPECT_FALSE(member->outvoted());
    EXPECT_EQ(member->Error(), kRight);
  }
}

// Nobody writes while etcd is away, so that what is found may be old.
TEST_F(ClocksTest, AnOldWordIsBelievedUntilItsRelayIsHeardOf) {
  Member& elder = Join("elder");
  Pass(absl::Minutes(10));
  Member& later = Start("later");
  EXPECT_EQ(later.Error(), absl::Minutes(-10));  // expires nothing too early
  Tell(elder);
  EXPECT_EQ(later.Error(), kRight);
  EXPECT_EQ(later.Read().offset, kRight);
}

TEST_F(ClocksTest, AnOldWordOfARelayThatIsGoneIsForgotten) {
  Join("elder");
  Member& other = Join("other");
  Pass(absl::Minutes(10));
  Member& later = Join("later");
  EXPECT_EQ(later.Error(), absl::Minutes(-10));
  Drop("elder");
  EXPECT_EQ(later.Error(), absl::Minutes(-10));  // by the other's old report
  Tell(other);
  EXPECT_EQ(later.Error(), kRight);
  Member& last = Start("last");
  EXPECT_EQ(last.Error(), kRight);
}

// It was heard of while nothing was watched, and has gone before it told again.
TEST_F(ClocksTest, WhatIsListedAgainSettlesAnOldWord) {
  Member& elder = Join("elder");
  Pass(absl::Minutes(10));
  Member& later = Start("later");
  EXPECT_TRUE(later.on_loan());
  later.Hold();
  Tell(elder);
  later.TakeAll(All(), /*restored=*/false);
  EXPECT_FALSE(later.on_loan());
  EXPECT_EQ(later.Error(), kRight);
  later.Release();
  Drop("elder");
  EXPECT_EQ(later.Error(), kRight);
}

TEST_F(ClocksTest, OldWordsOfRelaysThatAreAllGoneAreForgotten) {
  Join("elder");
  Pass(absl::Minutes(10));
  Member& later = Join("later");
  Drop("elder");
  EXPECT_EQ(later.Error(), kRight);
  EXPECT_EQ(later.Read().offset, kRight);
}

// A batch that etcd has carried out late, and news that come late after a stop.
TEST_F(ClocksTest, LateNewsChangeNothing) {
  Member& elder = Join("elder");
  Member& later = Join("later");
  const ClockReading old = elder.Read();
  Pass(absl::Minutes(2));
  Write("elder", {.time = old.time});
  EXPECT_EQ(later.Error(), kRight);
  Live(absl::Seconds(6));
  later.Hold();
  Live(absl::Minutes(5));
  later.Release();
  EXPECT_EQ(later.Error(), kRight);
  Live(absl::Seconds(6));
  EXPECT_EQ(later.Error(), kRight);
}

// While it had no key, another relay has come, whose first words are late.
TEST_F(ClocksTest, LateWordsOfANewRelayAreMadeGood) {
  Member& elder = Join("elder");
  Member& still = Join("still");
  still.Hold();
  Drop("still");
  Live(absl::Minutes(1), &still);
  Member& other = Join("other");
  Leave(elder);
  Live(absl::Minutes(5), &still);
  still.Release();
  EXPECT_EQ(still.Error(), kRight);
  EXPECT_EQ(other.Error(), kRight);
}

// Its key has ended meanwhile.
TEST_F(ClocksTest, WhoStoodStillIsTheYoungestWhenItGoesOn) {
  Member& elder = Join("elder");
  Member& later = Join("later");
  elder.Hold();
  Live(absl::Seconds(12), &elder);
  Drop("elder");
  Live(absl::Minutes(5), &elder);
  elder.Release();
  Tell(elder);
  Live(absl::Seconds(6));
  EXPECT_EQ(elder.Error(), kRight);
  EXPECT_EQ(later.Error(), kRight);
  // As it shows when its machine's clock is another one's now: it was moved, say.
  Member& moved = Join("moved", absl::Hours(3));
  EXPECT_EQ(moved.Error(), kRight);
}

TEST_F(ClocksTest, AnEtcdThatWasRestoredHasOldWords) {
  Member& elder = Join("elder");
  Join("gone");
  const auto copy = kept_;
  Drop("gone");
  Member& later = Join("later");
  Pass(absl::Hours(3));
  Live(absl::Seconds(6));
  kept_ = copy;
  for (const auto& member : members_) member->TakeAll(All(), /*restored=*/true);
  EXPECT_EQ(elder.Error(), kRight);
  EXPECT_EQ(later.Error(), kRight);
  Live(absl::Seconds(12));
  Drop("gone");
  Live(absl::Seconds(6));
  EXPECT_EQ(elder.Error(), kRight);
  EXPECT_EQ(later.Error(), kRight);
}

// All is read again after a watch that was lost.
TEST_F(ClocksTest, WhatIsReadAgainIsNoNews) {
  Member& elder = Join("elder");
  Member& later = Join("later", absl::Hours(2));
  Live(absl::Seconds(6));
  for (int i = 0; i < 3; ++i) {
    Pass(absl::Minutes(2));  // in which etcd is away
    later.TakeAll(All(), /*restored=*/false);
    EXPECT_EQ(later.Error(), kRight);
  }
  Live(absl::Seconds(6));
  EXPECT_EQ(later.Error(), kRight);
  EXPECT_EQ(elder.Error(), kRight);
}

}  // namespace
}  // namespace wormhole::relay
