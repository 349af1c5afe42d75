// Who gets which channel and which place in it: allocation, claims, waiting, resuming.
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "tests/conformance/relay_case.h"

namespace wormhole::conformance {
namespace {

namespace v1 = rendezvous::v1;
using Cases = std::vector<RelayCase>;

std::string Token() { return RandomBytes(32); }

void AddAllocation(Cases& cases) {
  cases.push_back({"one-digit-first", "2 Allocation",
                   "nine one-digit ids, each once, then two digits", [](World& world) {
                     std::set<uint32_t> ids;
                     std::vector<std::unique_ptr<Talk>> talks;
                     for (int i = 0; i < 9; ++i) {
                       talks.push_back(std::make_unique<Talk>(world.Allocate(Token())));
                       ids.insert(talks.back()->Attached().channel_id());
                     }
                     if (!world.ok()) return;
                     world.Check(ids.size() == 9 && *ids.begin() >= 1 && *ids.rbegin() <= 9,
                                 "the first nine are not 1 to 9");
                     const uint32_t tenth = world.Allocate(Token()).Attached().channel_id();
                     world.Check(tenth >= 10 && tenth <= 99,
                                 "the tenth is " + std::to_string(tenth));
                   }});
  cases.push_back(
      {"digits-at-least", "2 Allocation", "min_digits 3 gives three digits", [](World& world) {
         AttachRequest request = conformance::Allocate(world.app_id(), Token());
         request.mutable_open()->mutable_allocate()->set_min_digits(3);
         const uint32_t id = world.Say(request).Attached().channel_id();
         world.Check(id >= 100 && id <= 999, "it is " + std::to_string(id));
       }});
  cases.push_back({"allocate-by-name", "2 Open", "the id that was asked for", [](World& world) {
                     world.Check(world.Allocate(Token(), 999'999'999).Attached().channel_id() ==
                                     999'999'999,
                                 "it is another");
                   }});
  cases.push_back(
      {"allocate-taken", "11 alone", "a name that is in use is TAKEN", [](World& world) {
         Talk first = world.Allocate(Token(), 77);
         first.Attached();
         world.Allocate(Token(), 77).Refused(ErrorDetail::REASON_TAKEN);
         first.Quiet();
       }});
  cases.push_back(
      {"allocate-again", "2 Open", "the same token gets the same channel again", [](World& world) {
         const std::string token = Token();
         Talk first = world.Allocate(token);
         const uint32_t id = first.Attached().channel_id();
         Talk second = world.Allocate(token);
         world.Check(second.Attached().channel_id() == id, "another channel");
         first.Refused(ErrorDetail::REASON_SUPERSEDED);
       }});
  cases.push_back({"app-ids-are-scopes", "1 Terms", "the same id in two app-ids is two channels",
                   [](World& world) {
                     Talk first = world.Allocate(Token(), 5);
                     first.Attached();
                     AttachRequest request =
                         conformance::Allocate(world.app_id() + "X", Token(), 5);
                     Talk second = world.Say(request);
                     second.Attached();
                     first.Quiet();
                   }});
}

void AddClaims(Cases& cases) {
  cases.push_back(
      {"claim-never-allocated", "11 free", "an id that nobody allocated", [](World& world) {
         world.Claim(Token(), 321).Refused(ErrorDetail::REASON_NEVER_ALLOCATED);
       }});
  cases.push_back(
      {"claim-a-drawn-channel", "2 Open", "both see each other ATTACHED", [](World& world) {
         Talk a = world.Allocate(Token());
         const uint32_t id = a.Attached().channel_id();
         Talk b = world.Claim(Token(), id);
         b.Attached();
         a.Peer(v1::PRESENCE_ATTACHED);
         b.Peer(v1::PRESENCE_ATTACHED);
       }});
  cases.push_back(
      {"claim-again", "2 Open", "the same token has the place already", [](World& world) {
         Talk a = world.Allocate(Token());
         const uint32_t id = a.Attached().channel_id();
         const std::string token = Token();
         Talk b = world.Claim(token, id);
         b.Attached();
         world.Claim(token, id).Attached();
         b.Refused(ErrorDetail::REASON_SUPERSEDED);
       }});
  cases.push_back({"claim-crowded", "2 rule 8",
                   "a third is CROWDED, the members are told and undisturbed", [](World& world) {
                     Talk a = world.Allocate(Token());
                     const uint32_t id = a.Attached().channel_id();
                     Talk b = world.Claim(Token(), id);
                     b.Attached();
                     world.Claim(Token(), id).Refused(ErrorDetail::REASON_CROWDED);
                     world.Claim(Token(), id).Refused(ErrorDetail::REASON_CROWDED);
                     a.ThirdParties(2);
                     b.ThirdParties(2);
                     a.Post(1, "still here");
                     a.Posted(1);
                     b.Message(1, "still here");
                   }});
  cases.push_back({"claim-by-the-initiator", "11 alone", "a side has one role", [](World& world) {
                     const std::string token = Token();
                     Talk a = world.Allocate(token);
                     const uint32_t id = a.Attached().channel_id();
                     world.Claim(token, id).Refused(ErrorDetail::REASON_SIDE_IN_USE);
                     a.Quiet();
                   }});
}

void AddWaiting(Cases& cases) {
  cases.push_back({"wait-and-be-joined", "2 Open",
                   "WAITING, then ATTACHED when the id is asked for", [](World& world) {
                     Talk b = world.Claim(Token(), 88, true);
                     world.Check(b.Opened().state() == v1::Opened::STATE_WAITING, "not WAITING");
                     Talk a = world.Allocate(Token(), 88);
                     a.Attached();
                     b.Attached();
                     a.Peer(v1::PRESENCE_ATTACHED);
                     a.Post(1, "hello");
                     b.Message(1, "hello");
                   }});
  cases.push_back({"wait-for-one-that-is-there", "2 Open", "a named channel is joined at once",
                   [](World& world) {
                     Talk a = world.Allocate(Token(), 88);
                     a.Attached();
                     world.Claim(Token(), 88, true).Attached();
                   }});
  cases.push_back({"wait-beside-a-drawn-channel", "2 Open",
                   "a drawn channel with the id is not joined", [](World& world) {
                     Talk a = world.Allocate(Token());
                     const uint32_t id = a.Attached().channel_id();
                     Talk b = world.Claim(Token(), id, true);
                     world.Check(b.Opened().state() == v1::Opened::STATE_WAITING, "not WAITING");
                     b.Quiet();
                     a.Quiet();
                     world.Check(a.presence() == v1::PRESENCE_ABSENT, "the waiter has a place");
                   }});
  cases.push_back(
      {"two-wait", "2 Open", "the first waiter wins, the other is CROWDED", [](World& world) {
         Talk b = world.Claim(Token(), 88, true);
         b.Opened();
         Talk c = world.Claim(Token(), 88, true);
         c.Opened();
         Talk a = world.Allocate(Token(), 88);
         a.Attached();
         b.Attached();
         c.Refused(ErrorDetail::REASON_CROWDED);
       }});
  cases.push_back({"a-waiter-that-has-gone", "2 Open", "a waiter whose stream has ended is none",
                   [](World& world) {
                     Talk b = world.Claim(Token(), 88, true);
                     b.Opened();
                     b.Close(v1::MOOD_LONELY);
                     b.Over();
                     Talk a = world.Allocate(Token(), 88);
                     world.Check(a.Attached().peer() == v1::PRESENCE_ABSENT, "it has a place");
                   }});
  const auto spoken = [&cases](const char* name, const char* field, AttachRequest request) {
    cases.push_back(
        {name, "2 Opened", "a waiter may only send heartbeats and close", [=](World& world) {
           Talk b = world.Claim(Token(), 88, true);
           b.Opened();
           b.Quiet();
           b.Send(request);
           b.Refused(ErrorDetail::REASON_MALFORMED, field);
         }});
  };
  spoken("post-while-waiting", "post", conformance::Post(1, "early"));
  spoken("ack-while-waiting", "ack", conformance::Ack(1));
}

void AddResumes(Cases& cases) {
  cases.push_back(
      {"resume-never-allocated", "11 free", "an id that nobody allocated", [](World& world) {
         world.Resume(Token(), 321).Refused(ErrorDetail::REASON_NEVER_ALLOCATED);
       }});
  cases.push_back(
      {"resume-by-a-stranger", "2 rule 9", "a token that is neither member's", [](World& world) {
         Talk a = world.Allocate(Token());
         const uint32_t id = a.Attached().channel_id();
         world.Resume(Token(), id).Refused(ErrorDetail::REASON_NOT_MEMBER);
         a.Quiet();
       }});
  cases.push_back({"resume-an-ended-channel-by-a-stranger", "2 rule 9",
                   "how a channel ended is its members' affair", [](World& world) {
                     Talk a = world.Allocate(Token());
                     const uint32_t id = a.Attached().channel_id();
                     a.Close(v1::MOOD_SCARY);
                     a.Over();
                     world.Resume(Token(), id).Refused(ErrorDetail::REASON_NOT_MEMBER);
                   }});
  cases.push_back({"superseded", "2 rule 7",
                   "a second stream of a side ends the first; its peer sees no gap",
                   [](World& world) {
                     const std::string token = Token();
                     Talk a = world.Allocate(token);
                     const uint32_t id = a.Attached().channel_id();
                     Talk b = world.Claim(Token(), id);
                     b.Attached();
                     Talk again = world.Resume(token, id);
                     again.Attached();
                     a.Refused(ErrorDetail::REASON_SUPERSEDED);
                     b.Post(1, "to the new one");
                     again.Message(1, "to the new one");
                     b.Posted(1);
                     b.Quiet();
                     world.Check(b.presence() == v1::PRESENCE_ATTACHED, "the peer counts as gone");
                   }});
  cases.push_back({"presence", "2 rule 7",
                   "DETACHED when a stream is cut, ATTACHED when it is back", [](World& world) {
                     const std::string token = Token();
                     Talk a = world.Allocate(Token());
                     const uint32_t id = a.Attached().channel_id();
                     Talk b = world.Claim(token, id);
                     b.Attached();
                     a.Peer(v1::PRESENCE_ATTACHED);
                     b.Cancel();
                     a.Peer(v1::PRESENCE_DETACHED);
                     Talk back = world.Resume(token, id);
                     back.Attached();
                     a.Peer(v1::PRESENCE_ATTACHED);
                   }});
  cases.push_back({"half-close", "2 Transport",
                   "the end of a client's half is the end of its stream", [](World& world) {
                     Talk a = world.Allocate(Token());
                     const uint32_t id = a.Attached().channel_id();
                     Talk b = world.Claim(Token(), id);
                     b.Attached();
                     a.Peer(v1::PRESENCE_ATTACHED);
                     b.Post(1, "last");
                     b.HalfClose();
                     b.Over();
                     a.Message(1, "last");
                     a.Peer(v1::PRESENCE_DETACHED);
                   }});
}

}  // namespace

void AddSeatCases(Cases& cases) {
  AddAllocation(cases);
  AddClaims(cases);
  AddWaiting(cases);
  AddResumes(cases);
}

}  // namespace wormhole::conformance
