// An id that two have used up and that is drawn again: nothing of the channel before it shows in
// the new one.
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/relay_case.h"

namespace wormhole::conformance {
namespace {

namespace v1 = rendezvous::v1;
using Cases = std::vector<RelayCase>;

std::string Token() { return RandomBytes(32); }

// One that has been on a number before.
struct Former {
  std::string initiator, receiver;
};

// All nine one-digit ids have had a pair that left, after `traffic`. Formers by id.
std::vector<Former> UseUp(World& world, const std::function<void(Talk& a, Talk& b)>& traffic) {
  std::vector<Former> formers(10);
  std::vector<std::unique_ptr<Talk>> talks;
  std::vector<uint32_t> ids;
  for (int i = 0; i < 9 && world.ok(); ++i) {
    const std::string token = Token();
    talks.push_back(std::make_unique<Talk>(world.Allocate(token)));
    const uint32_t id = talks.back()->Attached().channel_id();
    world.Check(id >= 1 && id <= 9, "an id of more than one digit");
    if (!world.ok()) return formers;
    formers[id] = {token, Token()};
    ids.push_back(id);
  }
  for (size_t i = 0; i < ids.size() && world.ok(); ++i) {
    Talk b = world.Claim(formers[ids[i]].receiver, ids[i]);
    b.Attached();
    traffic(*talks[i], b);
    b.Close(v1::MOOD_HAPPY);
    b.Over();
    talks[i]->Close(v1::MOOD_HAPPY);
    talks[i]->Over();
  }
  return formers;
}

// A new pair meets on a spent id and talks; `a` and `b` have to hear exactly this.
void TalkOnRestedId(World& world, const std::vector<Former>& formers, bool late_copies) {
  Talk a = world.Allocate(Token());
  const v1::Opened opened = a.Attached();
  const uint32_t id = opened.channel_id();
  world.Check(id >= 1 && id <= 9, "no spent id is drawn although no other of one digit is free");
  world.Check(opened.stored() == 0 && opened.peer_stored() == 0 && opened.peer_forgotten() == 0 &&
                  opened.peer_cursor() == 0 && !opened.left() &&
                  opened.peer() == v1::PRESENCE_ABSENT,
              "the new channel is not empty: " + opened.ShortDebugString());
  if (!world.ok()) return;
  if (late_copies) {
    world.Claim(formers[id].receiver, id).NotOpened("a late claim of the channel before is taken");
    world.Resume(formers[id].initiator, id)
        .NotOpened("a late resume of the channel before is taken");
    a.Quiet();
    world.Check(a.presence() == v1::PRESENCE_ABSENT, "a late copy has a place");
  }
  Talk b = world.Claim(Token(), id);
  const v1::Opened joined = b.Attached();
  world.Check(joined.stored() == 0 && joined.peer_cursor() == 0 && joined.peer_stored() == 0,
              "the new receiver's place is not empty: " + joined.ShortDebugString());
  a.Post(1, "new one");
  a.Posted(1);
  b.Message(1, "new one");
  b.Post(1, "new answer");
  b.Posted(1);
  a.Message(1, "new answer");
}

void Frames(Talk& a, Talk& b) {
  a.Post(1, "old one");
  a.Posted(1);
  b.Message(1, "old one");
  b.Post(1, "old answer");
  b.Posted(1);
  a.Message(1, "old answer");
  b.Ack(7);
  a.Ack(7);
}

}  // namespace

void AddRestedCases(Cases& cases) {
  cases.push_back({"rested-id", "2 Allocation", "a channel that gets a spent id is a new one",
                   [](World& world) { TalkOnRestedId(world, UseUp(world, Frames), false); }});
  cases.push_back({"rested-id-and-waiters", "2 Allocation",
                   "a new one also when others have waited for the number all the time",
                   [](World& world) {
                     std::vector<std::unique_ptr<Talk>> waiters;
                     const std::vector<Former> formers = UseUp(world, [&](Talk& a, Talk& b) {
                       for (uint32_t id = 1; waiters.size() < 9; ++id) {
                         waiters.push_back(std::make_unique<Talk>(world.Claim(Token(), id, true)));
                         waiters.back()->Opened();
                       }
                       Frames(a, b);
                     });
                     TalkOnRestedId(world, formers, false);
                   }});
  cases.push_back({"rested-id-and-late-copies", "2 rule 9",
                   "a late `open` of the channel before has no place in the new one",
                   [](World& world) { TalkOnRestedId(world, UseUp(world, Frames), true); }});
}

}  // namespace wormhole::conformance
