// A client that saves is killed where the relay has a request of it, and goes on from what it
// saved.
#include <string>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;
using Fate = Step::Fate;

// Each start of a client costs it a KDF, and with a sanitizer seconds on a busy machine; its
// timeout goes on through all of them.
void Add(Cases& cases, Role client, const char* name, const char* shows, std::vector<Step> steps) {
  cases.push_back({.name = std::string("restarted-") + name,
                   .client = client,
                   .section = "7 Saved state",
                   .shows = shows,
                   .script = {},
                   .timeout_seconds = 60,
                   .steps = std::move(steps)});
}

void AddForBoth(Cases& cases) {
  for (const Role role : kBoth) {
    Add(cases, role, "before-it-is-let-in", "before the answer to its first `open`: the same token",
        {{Arm::kOpen, 1}});
    Add(cases, role, "with-a-frame-on-its-way",
        "its first frame is lost with it: posted again, in the same bytes", {{Arm::kPost, 1}});
    Add(cases, role, "with-a-frame-stored",
        "its first frame is stored and it has not heard so: not another one",
        {{Arm::kPost, 1, Fate::kStored}});
    Add(cases, role, "with-the-key", "its second frame is lost with it: the same key, later",
        {{Arm::kPost, 2}});
    Add(cases, role, "with-the-key-stored", "its second frame is stored and it has not heard so",
        {{Arm::kPost, 2, Fate::kStored}});
    Add(cases, role, "before-it-has-left",
        "its `close` is lost with it: the data once more, and it leaves", {{Arm::kClose}});
    Add(cases, role, "again-and-again", "killed at its `open` and at each of two frames",
        {{Arm::kOpen, 1}, {Arm::kPost, 1}, {Arm::kPost, 2, Fate::kStored}});
  }
}

// On its first stream; heartbeats are due every fifth of a second.
Script SaysWaiting() {
  Script script;
  script.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream > 0 || !request.has_open()) return false;
    AttachResponse response;
    rendezvous::v1::Opened& opened = *response.mutable_opened();
    opened.set_state(rendezvous::v1::Opened::STATE_WAITING);
    opened.set_channel_id(ScriptedChannel::kId);
    opened.mutable_heartbeat_interval()->set_nanos(200'000'000);
    channel.Say(stream, response);
    return true;
  };
  return script;
}

std::string ClaimsAgain(const Transcript& transcript, const ClientEnd&) {
  size_t claims = 0;
  for (const Entry& entry : transcript.entries) {
    if (entry.request.has_open() && entry.request.open().claim().wait()) ++claims;
  }
  return claims == 2 ? "" : "it does not claim and wait, once in each life";
}

}  // namespace

void AddRestartCases(Cases& cases) {
  AddForBoth(cases);
  Add(cases, Role::kInitiator, "with-its-data-on-its-way", "its third frame is lost with it",
      {{Arm::kPost, 3}});
  Add(cases, Role::kInitiator, "while-nobody-is-there",
      "it has shown its code: the other side comes to the one that went on", {Step{}});
  // Behind the first heartbeat it has heard that it waits.
  Add(cases, Role::kReceiver, "while-it-waits", "a waiter claims again, and waits",
      {{Arm::kHeartbeat}});
  cases.back().script = SaysWaiting();
  cases.back().check = ClaimsAgain;
  cases.back().waits = true;
}

}  // namespace wormhole::conformance
