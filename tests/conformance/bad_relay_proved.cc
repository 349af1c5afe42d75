// What a relay does to frames and to the channel once something has been proved: boxes that it
// changes, and losses that leave a receiver's answer unproven.
#include <string>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

const Outcomes kForgedOnly = {Outcome::kForged};

std::string Scary(const Transcript& transcript, const ClientEnd&) {
  return transcript.CountCloses(rendezvous::v1::MOOD_SCARY) > 0 ? "" : "it does not close as scary";
}

void AddSealed(Cases& cases) {
  for (const Role role : kBoth) {
    const uint64_t last = role == Role::kInitiator ? 2 : 3;
    const auto forged = [&](const char* name, const char* shows, Script script) {
      cases.push_back({.name = name,
                       .client = role,
                       .section = "5 One guess",
                       .shows = shows,
                       .script = std::move(script),
                       .outcomes = kForgedOnly,
                       .check = Scary,
                       .within_seconds = 18});
    };
    const auto box = [last](std::function<void(std::string&)> change) {
      return ChangeParts(last,
                         [=](ExchangeFrame& f) { change(*f.mutable_sealed()->mutable_box()); });
    };
    forged("box-nonce-changed", "one bit of the nonce", box([](std::string& b) { Flip(&b, 0); }));
    forged("box-text-changed", "one bit of the ciphertext",
           box([](std::string& b) { Flip(&b, 40); }));
    forged("box-tag-changed", "one bit of the box's tag",
           box([](std::string& b) { Flip(&b, -1); }));
    forged("box-cut", "a box that is a byte too short", box([](std::string& b) { b.pop_back(); }));
    forged("box-empty", "a box of no bytes", box([](std::string& b) { b.clear(); }));
    forged("sealed-renumbered", "Sealed 1 in place of Sealed 0",
           ChangeParts(last, [](ExchangeFrame& f) { f.mutable_sealed()->set_number(1); }));
    forged("sealed-noise", "a frame that is no protobuf in place of Sealed",
           ChangeFrame(last, [](std::string& f) { f.assign(300, '\xff'); }));
  }
}

// T_r is out and no T_i has come: whatever loses the channel then is a guess, as far as can be
// known.
void AddUnproven(Cases& cases) {
  const auto unproven = [&cases](const char* name, const char* shows, grpc::Status status) {
    cases.push_back({.name = std::string("unproven-") + name,
                     .client = Role::kReceiver,
                     .section = "5 One guess",
                     .shows = shows,
                     .script = EndAt(Arm::kPost, std::move(status)),
                     .outcomes = {Outcome::kWrongCode},
                     .within_seconds = 18});
  };
  unproven("lonely", "CLOSED lonely with T_r out", Closed(rendezvous::v1::MOOD_LONELY));
  unproven("errory", "CLOSED errory with T_r out", Closed(rendezvous::v1::MOOD_ERRORY));
  unproven("happy", "CLOSED happy with T_r out", Closed(rendezvous::v1::MOOD_HAPPY));
  unproven("no-mood", "CLOSED in no mood with T_r out", Closed(rendezvous::v1::MOOD_UNSPECIFIED));
  unproven("expired", "EXPIRED with T_r out", Refusal(ErrorDetail::REASON_EXPIRED));
  unproven("never-allocated", "NEVER_ALLOCATED with T_r out",
           Refusal(ErrorDetail::REASON_NEVER_ALLOCATED));
  unproven("not-member", "NOT_MEMBER with T_r out", Refusal(ErrorDetail::REASON_NOT_MEMBER));
  unproven("peer-left", "PEER_LEFT in answer to T_r", Refusal(ErrorDetail::REASON_PEER_LEFT));
}

// `opened` says that the other side has left, and its log has been read: what is missing never
// comes.
void AddLeft(Cases& cases) {
  const auto left = [&cases](const char* name, Role client, uint64_t at, Outcome outcome,
                             const char* shows) {
    Script script;
    script.on_request = [at](ScriptedChannel& channel, size_t stream,
                             const AttachRequest& request) {
      if (!request.has_open() || channel.client_stored() < at) {
        const bool cut = request.has_post() && channel.client_stored() + 1 == at;
        if (cut) {
          channel.StoreOnly(request.post());
          channel.End(stream, {grpc::INTERNAL, "cut"});
        }
        return cut;
      }
      AttachResponse opened = channel.Opened();
      opened.mutable_opened()->set_peer(rendezvous::v1::PRESENCE_LEFT);
      opened.mutable_opened()->set_peer_stored(request.open().cursor());
      channel.Say(stream, opened);
      return true;
    };
    cases.push_back({.name = name,
                     .client = client,
                     .section = "5 One guess",
                     .shows = shows,
                     .script = script,
                     .outcomes = {outcome},
                     .within_seconds = 18});
  };
  left("left-before-it-answered", Role::kInitiator, 1, Outcome::kGaveUp, "peer unfinished");
  left("left-with-the-answer-out", Role::kReceiver, 1, Outcome::kWrongCode, "unproven: T_r is out");
}

// It leaves while a frame is under way to it: the refusal ends nothing by itself.
void AddLeftAtAPost(Cases& cases) {
  for (const Role role : kBoth) {
    Script script;
    script.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
      if (stream == 0 && request.post().number() == 2) {
        channel.End(stream, Refusal(ErrorDetail::REASON_PEER_LEFT));
        return true;
      }
      if (stream == 0 || !request.has_open()) return false;
      AttachResponse opened = channel.Opened();
      opened.mutable_opened()->set_peer(rendezvous::v1::PRESENCE_LEFT);
      opened.mutable_opened()->set_peer_stored(request.open().cursor());
      channel.Say(stream, opened);
      return true;
    };
    script.on_response = [role](size_t, std::vector<AttachResponse>& responses) {
      const uint64_t last = role == Role::kInitiator ? 2 : 3;
      if (responses[0].message().number() == last) responses.clear();
    };
    cases.push_back({.name = "left-while-a-frame-is-under-way",
                     .client = role,
                     .section = "5 One guess",
                     .shows = "PEER_LEFT without Sealed 0: the next `opened` decides, peer "
                              "unfinished",
                     .script = script,
                     .outcomes = {Outcome::kGaveUp},
                     .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                       return t.streams() >= 2 ? "" : "it does not ask where the log ends";
                     },
                     .within_seconds = 18});
  }
}

}  // namespace

void AddProvedCases(Cases& cases) {
  AddLeft(cases);
  AddLeftAtAPost(cases);
  AddSealed(cases);
  AddUnproven(cases);
}

}  // namespace wormhole::conformance
