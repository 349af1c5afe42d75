// A receiver that has come first, and what a relay may say to it.
#include <string>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;
using rendezvous::v1::Opened;

AttachResponse Waiting(uint32_t id = ScriptedChannel::kId) {
  AttachResponse response;
  response.mutable_opened()->set_state(Opened::STATE_WAITING);
  response.mutable_opened()->set_channel_id(id);
  return response;
}

// Does not post, nor resume, while it waits.
std::string StillWaits(const Transcript& transcript, const ClientEnd&) {
  for (const Entry& entry : transcript.entries) {
    const AttachRequest& request = entry.request;
    if (request.has_post()) return "";
    if (request.has_open() && !request.open().has_claim()) return "it does not claim";
    if (request.has_open() && !request.open().claim().wait()) return "it does not wait";
  }
  return "";
}

std::string WaitsAgain(const Transcript& transcript, const ClientEnd& end) {
  const std::string lost = ComesBack(transcript, end);
  return lost.empty() ? StillWaits(transcript, end) : lost;
}

}  // namespace

void AddWaitingCases(Cases& cases) {
  const auto waits = [&cases](const char* name, const char* shows, Script script,
                              std::string (*check)(const Transcript&, const ClientEnd&),
                              Outcomes outcomes = kOnlyDone) {
    cases.push_back({.name = name,
                     .client = Role::kReceiver,
                     .section = "2 Open",
                     .shows = shows,
                     .script = std::move(script),
                     .outcomes = std::move(outcomes),
                     .check = check,
                     .waits = true});
  };
  waits("waits-and-is-joined", "WAITING, then ATTACHED: the exchange begins",
        Before(AttachResponse::kOpened, Waiting()), StillWaits);
  waits("waits-for-one-that-is-there", "ATTACHED at once: nobody has to wait", {}, nullptr);
  waits(
      "waiting-is-cut", "a waiter that lost its stream claims again, and waits",
      [] {
        Script script;
        script.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest&) {
          if (stream > 1) return false;
          channel.Say(stream, Waiting());
          channel.End(stream, {grpc::INTERNAL, "cut"});
          return true;
        };
        return script;
      }(),
      WaitsAgain);
  waits(
      "waiting-twice", "a second WAITING is a lost stream",
      [] {
        Script script;
        script.on_response = [](size_t stream, std::vector<AttachResponse>& responses) {
          if (!responses[0].has_opened()) return;
          if (stream == 0) responses = {Waiting(), Waiting()};
        };
        return script;
      }(),
      WaitsAgain);
  waits(
      "message-while-waiting", "a `message` before ATTACHED is a lost stream",
      [] {
        Script script;
        script.on_response = [](size_t stream, std::vector<AttachResponse>& responses) {
          if (stream == 0 && responses[0].has_opened())
            responses = {Waiting(), MessageOf(1, "early")};
        };
        return script;
      }(),
      WaitsAgain);
  waits(
      "waiting-for-another-id", "WAITING for another id is a lost stream",
      [] {
        Script script;
        script.on_response = [](size_t stream, std::vector<AttachResponse>& responses) {
          if (stream == 0 && responses[0].has_opened()) responses = {Waiting(12)};
        };
        return script;
      }(),
      WaitsAgain);
  Script ever;
  ever.on_response = [](size_t, std::vector<AttachResponse>& responses) {
    if (responses[0].has_opened()) responses = {Waiting()};
  };
  ever.peer_is_absent = true;
  waits("waits-in-vain", "nobody comes: its own timeout, and it has posted nothing", ever,
        StillWaits, {Outcome::kTimedOut});
  cases.back().timeout_seconds = 8;
}

}  // namespace wormhole::conformance
