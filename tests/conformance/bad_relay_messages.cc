// Frames that a relay repeats, leaves out, changes, reflects or makes up.
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

const Outcomes kWrong = {Outcome::kWrongCode};

std::string Scary(const Transcript& transcript, const ClientEnd&) {
  return transcript.CountCloses(rendezvous::v1::MOOD_SCARY) > 0 ? "" : "it does not close as scary";
}

// A frame that was changed before the key was confirmed: wrong code, and the channel is closed.
BadRelayCase WrongCode(const char* name, Role client, const char* shows, Script script) {
  return {.name = name,
          .client = client,
          .section = "5 One guess",
          .shows = shows,
          .script = std::move(script),
          .outcomes = kWrong,
          .check = Scary,
          .within_seconds = 18};
}

void AddHandshake(Cases& cases) {
  const Role i = Role::kInitiator, r = Role::kReceiver;
  cases.push_back(
      WrongCode("share-changed", i, "one bit of Y_r", ChangeParts(1, [](ExchangeFrame& f) {
                  Flip(f.mutable_pake_receiver()->mutable_share(), 3);
                })));
  cases.push_back(WrongCode("associated-data-changed", i, "one bit of the side in AD_r",
                            ChangeParts(1, [](ExchangeFrame& f) {
                              Flip(f.mutable_pake_receiver()->mutable_associated_data(), -1);
                            })));
  cases.push_back(WrongCode(
      "tag-changed", i, "one bit of T_r",
      ChangeParts(1, [](ExchangeFrame& f) { Flip(f.mutable_pake_receiver()->mutable_tag(), 0); })));
  cases.push_back(WrongCode("tag-cut", i, "a T_r of 31 bytes", ChangeParts(1, [](ExchangeFrame& f) {
                              f.mutable_pake_receiver()->mutable_tag()->resize(31);
                            })));
  cases.push_back(WrongCode(
      "tag-changed", r, "one bit of T_i",
      ChangeParts(2, [](ExchangeFrame& f) { Flip(f.mutable_confirm()->mutable_tag(), 31); })));
  for (const Role role : {i, r}) {
    cases.push_back(WrongCode("first-frame-empty", role, "a frame of no bytes is a bad frame",
                              ChangeFrame(1, [](std::string& f) { f.clear(); })));
    cases.push_back(WrongCode("first-frame-noise", role,
                              "a frame that is no protobuf is a bad frame",
                              ChangeFrame(1, [](std::string& f) { f.assign(40, '\xff'); })));
    cases.push_back(WrongCode("first-frame-cut", role, "a frame that was cut is a bad frame",
                              ChangeFrame(1, [](std::string& f) { f.resize(f.size() / 2); })));
    cases.push_back(WrongCode("first-frame-huge", role, "a frame of 900,000 bytes is a bad frame",
                              ChangeFrame(1, [](std::string& f) { f.assign(900'000, 'x'); })));
  }
  // The answer tells the other side, which closes; the receiver cannot see it.
  for (const auto& [name, shows, change] :
       {std::tuple{"sid-changed", "one bit of sid: the other side sees it",
                   +[](ExchangeFrame& f) { Flip(f.mutable_pake_initiator()->mutable_sid(), 0); }},
        std::tuple{"associated-data-changed", "one bit of the side in AD_i: the other side sees it",
                   +[](ExchangeFrame& f) {
                     Flip(f.mutable_pake_initiator()->mutable_associated_data(), -1);
                   }}}) {
    cases.push_back({.name = name,
                     .client = r,
                     .section = "3 Key agreement",
                     .shows = shows,
                     .script = ChangeParts(1, change),
                     .outcomes = kWrong,
                     .within_seconds = 18});
  }
}

void AddReflections(Cases& cases) {
  Script script;
  script.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (!request.has_post()) return false;
    channel.Say(stream, Posted(request.post().number()));
    channel.Say(stream, MessageOf(1, request.post().frame()));
    return true;
  };
  cases.push_back(
      WrongCode("own-frame-reflected", Role::kInitiator, "the own first frame comes back", script));
  Script tag;
  tag.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    ExchangeFrame frame;
    if (!request.has_post() || !frame.ParseFromString(request.post().frame())) return false;
    ExchangeFrame confirm;
    confirm.mutable_confirm()->set_tag(frame.pake_receiver().tag());
    channel.Say(stream, Posted(request.post().number()));
    channel.Say(stream, MessageOf(2, confirm.SerializeAsString()));
    return true;
  };
  cases.push_back(WrongCode("own-tag-reflected", Role::kReceiver, "T_r comes back as T_i", tag));
  cases.push_back(WrongCode("sealed-in-place-of-confirm", Role::kReceiver,
                            "another frame at a number is a bad frame",
                            ChangeFrame(2, [](std::string& f) {
                              ExchangeFrame frame;
                              frame.mutable_sealed()->set_box(std::string(296, 's'));
                              f = frame.SerializeAsString();
                            })));
  cases.push_back(WrongCode("confirm-in-place-of-pake", Role::kInitiator,
                            "another frame at a number is a bad frame",
                            ChangeFrame(1, [](std::string& f) {
                              ExchangeFrame frame;
                              frame.mutable_confirm()->set_tag(std::string(32, 't'));
                              f = frame.SerializeAsString();
                            })));
}

void AddOrder(Cases& cases) {
  for (const Role role : kBoth) {
    const auto add = [&](const char* name, const char* section, const char* shows, Script script,
                         Outcomes outcomes = kOnlyDone) {
      cases.push_back({.name = name,
                       .client = role,
                       .section = section,
                       .shows = shows,
                       .script = std::move(script),
                       .outcomes = std::move(outcomes)});
    };
    Script twice;
    twice.on_response = [heard = std::vector<AttachResponse>()](
                            size_t, std::vector<AttachResponse>& responses) mutable {
      if (!responses[0].has_message()) return;
      heard.push_back(responses[0]);
      responses = heard;
      responses.push_back(heard.back());
    };
    add("messages-repeated", "2 rule 2", "each message twice, and all earlier ones with it", twice);
    add("message-zero", "2 rule 2", "a message numbered 0 is one that the client has",
        Before(AttachResponse::kMessage, MessageOf(0, "nothing")));
    add("unknown-fields", "4 Frames", "unknown fields in a frame are ignored",
        ChangeFrame(1, [](std::string& f) {
          f += std::string(
              "\x7a\x03"
              "abc",
              5);
        }));
    const uint64_t last = role == Role::kInitiator ? 2 : 3;
    add("message-left-out", "2 rule 1", "a gap in the other side's log is a lost stream",
        Before(AttachResponse::kMessage, MessageOf(last, "ahead of its time"), 1));
    cases.back().check = ComesBack;
    add("message-of-the-last-number", "4 Frames", "2^64-1 is behind the last frame, and ignored",
        Before(AttachResponse::kMessage, MessageOf(~uint64_t{0}, "far ahead")));
    add("messages-never-come", "6 Waiting", "frames are announced and never sent: its own timeout",
        Without(AttachResponse::kMessage), kTimeout);
    cases.back().timeout_seconds = 8;
    Script nobody;
    nobody.peer_is_absent = true;
    add("nobody-comes", "6 Waiting", "nobody is there: its own timeout", nobody, kTimeout);
    cases.back().timeout_seconds = 8;
    cases.back().check = [](const Transcript& t, const ClientEnd&) -> std::string {
      return t.CountCloses(rendezvous::v1::MOOD_LONELY) == 1 ? "" : "it does not close as lonely";
    };
  }
}

}  // namespace

void AddMessageCases(Cases& cases) {
  AddHandshake(cases);
  AddReflections(cases);
  AddOrder(cases);
}

}  // namespace wormhole::conformance
