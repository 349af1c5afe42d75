// How channels end: moods, leaving, expiry, quarantine; and that the next one with an id is new.
#include <string>
#include <utility>

#include "tests/conformance/relay_case.h"

namespace wormhole::conformance {
namespace {

namespace v1 = rendezvous::v1;
using Cases = std::vector<RelayCase>;

constexpr v1::Mood kHappy = v1::MOOD_HAPPY;

std::string Token() { return RandomBytes(32); }

struct Pair {
  explicit Pair(World& world, uint32_t name = 0)
      : a(world.Allocate(token_a, name)),
        id(a.Attached().channel_id()),
        b(world.Claim(token_b, id)) {
    b.Attached();
    a.Peer(v1::PRESENCE_ATTACHED);
  }
  const std::string token_a = Token(), token_b = Token();
  Talk a;
  const uint32_t id;
  Talk b;
};

void AddMoods(Cases& cases) {
  for (const auto& [word, mood] : {std::pair{"lonely", v1::MOOD_LONELY},
                                   {"scary", v1::MOOD_SCARY},
                                   {"errory", v1::MOOD_ERRORY}}) {
    cases.push_back({std::string("close-") + word, "2 rule 6",
                     "it ends the channel for both, at once", [mood = mood](World& world) {
                       Pair pair(world);
                       pair.a.Close(mood);
                       pair.a.Over();
                       pair.b.ClosedIn(mood);
                       world.Resume(pair.token_b, pair.id).ClosedIn(mood);
                       world.Resume(pair.token_a, pair.id).ClosedIn(mood);
                     }});
  }
  cases.push_back({"close-by-the-receiver", "2 rule 6", "either side may", [](World& world) {
                     Pair pair(world);
                     pair.b.Close(v1::MOOD_SCARY);
                     pair.b.Over();
                     pair.a.ClosedIn(v1::MOOD_SCARY);
                   }});
  cases.push_back({"close-alone", "11 alone", "the only member that leaves happy ends the channel",
                   [](World& world) {
                     const std::string token = Token();
                     Talk a = world.Allocate(token);
                     const uint32_t id = a.Attached().channel_id();
                     a.Close(kHappy);
                     a.Over();
                     world.Claim(Token(), id).ClosedIn(kHappy);
                     world.Resume(token, id).ClosedIn(kHappy);
                   }});
}

void AddLeaving(Cases& cases) {
  cases.push_back({"close-after-post-and-ack", "2 rule 6",
                   "a close comes after what was said before it", [](World& world) {
                     Pair pair(world);
                     pair.b.Post(1, "from b");
                     pair.b.Posted(1);
                     pair.a.Message(1, "from b");
                     pair.a.Post(1, "last word");
                     pair.a.Ack(1);
                     pair.a.Close(kHappy);
                     pair.a.Posted(1);
                     pair.a.Over();
                     pair.b.Message(1, "last word");
                     pair.b.PeerCursor(1);
                     pair.b.Peer(v1::PRESENCE_LEFT);
                   }});
  cases.push_back({"left-frames-stay", "2 rule 6",
                   "what one that has left has posted stays for the other", [](World& world) {
                     Pair pair(world);
                     pair.b.Cancel();
                     pair.a.Post(1, "for later");
                     pair.a.Posted(1);
                     pair.a.Close(kHappy);
                     pair.a.Over();
                     Talk back = world.Resume(pair.token_b, pair.id);
                     const v1::Opened opened = back.Attached();
                     world.Check(opened.peer() == v1::PRESENCE_LEFT && opened.peer_stored() == 1,
                                 "`opened` does not say that the peer has left after frame 1");
                     back.Message(1, "for later");
                   }});
  cases.push_back(
      {"post-to-one-that-has-left", "2 rule 6", "PEER_LEFT beyond its cursor", [](World& world) {
         Pair pair(world);
         pair.a.Close(kHappy);
         pair.a.Over();
         pair.b.Peer(v1::PRESENCE_LEFT);
         pair.b.Post(1, "too late");
         pair.b.Refused(ErrorDetail::REASON_PEER_LEFT);
       }});
  cases.push_back({"post-up-to-the-cursor-of-one-that-has-left", "2 rule 6", "is stored as ever",
                   [](World& world) {
                     Pair pair(world);
                     pair.a.Ack(1);
                     pair.a.Close(kHappy);
                     pair.a.Over();
                     pair.b.Peer(v1::PRESENCE_LEFT);
                     pair.b.Post(1, "it has that");
                     pair.b.Posted(1);
                   }});
  cases.push_back({"one-that-has-left-comes-back", "2 rule 6",
                   "it may close again, which changes nothing", [](World& world) {
                     Pair pair(world);
                     pair.a.Close(kHappy);
                     pair.a.Over();
                     Talk again = world.Resume(pair.token_a, pair.id);
                     world.Check(again.Attached().left(), "`left` is not said");
                     again.Close(v1::MOOD_SCARY);
                     again.Over();
                     pair.b.Peer(v1::PRESENCE_LEFT);
                     pair.b.Quiet();
                   }});
  cases.push_back({"one-that-has-left-posts", "2 rule 6",
                   "STALE_STATE: another copy of it has finished", [](World& world) {
                     Pair pair(world);
                     pair.a.Close(kHappy);
                     pair.a.Over();
                     Talk again = world.Resume(pair.token_a, pair.id);
                     again.Attached();
                     again.Post(1, "more");
                     again.Refused(ErrorDetail::REASON_STALE_STATE);
                   }});
  cases.push_back(
      {"both-leave", "2 rule 6", "the channel has ended when both have left", [](World& world) {
         Pair pair(world);
         pair.a.Close(kHappy);
         pair.a.Over();
         pair.b.Close(kHappy);
         pair.b.Over();
         world.Resume(pair.token_a, pair.id).ClosedIn(kHappy);
         world.Resume(pair.token_b, pair.id).ClosedIn(kHappy);
       }});
}

void AddEnded(Cases& cases) {
  const auto ended = [&cases](const char* name, const char* shows,
                              std::function<void(World&, const Pair&)> then) {
    cases.push_back({name, "11 closed", shows, [=](World& world) {
                       Pair pair(world, 66);
                       pair.a.Close(v1::MOOD_ERRORY);
                       pair.a.Over();
                       pair.b.ClosedIn(v1::MOOD_ERRORY);
                       then(world, pair);
                     }});
  };
  ended("ended-claim", "a stranger's claim hears how it ended", [](World& world, const Pair& pair) {
    world.Claim(Token(), pair.id).ClosedIn(v1::MOOD_ERRORY);
  });
  ended("ended-claim-again", "so does the receiver's", [](World& world, const Pair& pair) {
    world.Claim(pair.token_b, pair.id).ClosedIn(v1::MOOD_ERRORY);
  });
  ended("ended-allocate-again", "so does the initiator's allocation",
        [](World& world, const Pair& pair) {
          world.Allocate(pair.token_a, pair.id).ClosedIn(v1::MOOD_ERRORY);
        });
  ended("ended-allocate-by-name", "a resting id is TAKEN by name",
        [](World& world, const Pair& pair) {
          world.Allocate(Token(), pair.id).Refused(ErrorDetail::REASON_TAKEN);
        });
  ended("ended-wait", "one that waits for a resting id waits", [](World& world, const Pair& pair) {
    Talk waiter = world.Claim(Token(), pair.id, true);
    world.Check(waiter.Opened().state() == v1::Opened::STATE_WAITING, "not WAITING");
    waiter.Quiet();
  });
  ended("ended-and-drawn", "a resting id is not drawn while others are free",
        [](World& world, const Pair&) {
          for (int i = 0; i < 9; ++i) {
            const uint32_t id = world.Allocate(Token()).Attached().channel_id();
            world.Check(id <= 9, "it draws " + std::to_string(id));
          }
        });
}

void AddExpiry(Cases& cases) {
  const auto expires = [&cases](const char* name, const char* shows,
                                std::function<void(World&, uint32_t, const std::string&)> then) {
    cases.push_back({name, "11 expired", shows, [=](World& world) {
                       const std::string token = Token();
                       AttachRequest request = conformance::Allocate(world.app_id(), token, 55);
                       request.mutable_open()->mutable_allocate()->mutable_ttl()->set_seconds(1);
                       Talk a = world.Say(request);
                       const uint32_t id = a.Attached().channel_id();
                       a.Refused(ErrorDetail::REASON_EXPIRED);
                       then(world, id, token);
                     }});
  };
  expires("expires", "a member hears EXPIRED when the time is over, and when it comes back",
          [](World& world, uint32_t id, const std::string& token) {
            world.Resume(token, id).Refused(ErrorDetail::REASON_EXPIRED);
          });
  expires("expired-claim", "a claim that comes too late",
          [](World& world, uint32_t id, const std::string&) {
            world.Claim(Token(), id).Refused(ErrorDetail::REASON_EXPIRED);
          });
  expires("expired-allocate-by-name", "the id rests",
          [](World& world, uint32_t id, const std::string&) {
            world.Allocate(Token(), id).Refused(ErrorDetail::REASON_TAKEN);
          });
  expires("expired-resume-by-a-stranger", "it is none of a stranger's business",
          [](World& world, uint32_t id, const std::string&) {
            world.Resume(Token(), id).Refused(ErrorDetail::REASON_NOT_MEMBER);
          });
}

void AddSilence(Cases& cases) {
  cases.push_back({"a-silent-client", "2 Heartbeats",
                   "two and a half intervals of silence end its stream", [](World& world) {
                     const std::string token = Token();
                     Talk a = world.Allocate(token);
                     const v1::Opened opened = a.Attached();
                     const auto& interval = opened.heartbeat_interval();
                     if (interval.seconds() > 2) return world.Skip("its interval is above 2 s");
                     const double least =
                         2 * (static_cast<double>(interval.seconds()) + interval.nanos() * 1e-9);
                     const auto start = std::chrono::steady_clock::now();
                     const grpc::Status end = a.End();
                     const std::chrono::duration<double> passed =
                         std::chrono::steady_clock::now() - start;
                     world.Check(end.error_code() != grpc::DEADLINE_EXCEEDED, "it never ends");
                     world.Check(passed.count() > least, "it ends too early");
                     world.Resume(token, opened.channel_id()).Attached();
                   }});
}

}  // namespace

void AddLifeCases(Cases& cases) {
  AddMoods(cases);
  AddLeaving(cases);
  AddEnded(cases);
  AddExpiry(cases);
  AddSilence(cases);
}

}  // namespace wormhole::conformance
