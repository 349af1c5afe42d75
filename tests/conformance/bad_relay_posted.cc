// What a relay may confirm, forget and cut, and how often a client comes back for it.
#include <algorithm>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

const grpc::Status kCut(grpc::INTERNAL, "cut");

// On the first `streams` streams.
std::function<bool(ScriptedChannel&, size_t, const AttachRequest&)> SaysPostedAndForgets(
    size_t streams) {
  return [=](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream >= streams || !request.has_post()) return false;
    channel.Say(stream, Posted(request.post().number()));
    channel.End(stream, kCut);
    return true;
  };
}

// Heartbeats are due every fifth of a second.
Script Hasty(Script script = {}) {
  script.on_response = [](size_t, std::vector<AttachResponse>& responses) {
    if (!responses[0].has_opened()) return;
    responses[0].mutable_opened()->mutable_heartbeat_interval()->set_seconds(0);
    responses[0].mutable_opened()->mutable_heartbeat_interval()->set_nanos(200'000'000);
  };
  return script;
}

void AddPosted(Cases& cases) {
  ForBoth(cases, {.name = "posted-what-was-not-sent",
                  .section = "2 rule 2",
                  .shows = "`posted` of a number that was never posted is a lost stream",
                  .script = Before(AttachResponse::kPosted, Posted(9), 1),
                  .check = ComesBack});
  ForBoth(cases, {.name = "posted-twice",
                  .section = "2 rule 2",
                  .shows = "the same `posted` again changes nothing",
                  .script = After(AttachResponse::kPosted, Posted(1)),
                  .check = nullptr});
  ForBoth(cases, {.name = "posted-never",
                  .section = "4 Frames",
                  .shows = "a side whose frames are not `posted` has not finished",
                  .script = Without(AttachResponse::kPosted),
                  .outcomes = kTimeout,
                  .timeout_seconds = 3});
  ForBoth(cases, {.name = "cut-after-each-post",
                  .section = "2 rule 2",
                  .shows = "the stream is cut behind each post: the rest is posted on the next",
                  .script = EndAfter(Arm::kPost, kCut),
                  .check = ComesBack});
  ForBoth(cases, {.name = "cut-before-a-post-is-stored",
                  .section = "2 rule 2",
                  .shows = "what was lost is posted again, in the same bytes",
                  .script = EndAt(Arm::kPost, kCut, 2),
                  .check = ComesBack});
  Script loses;
  loses.on_request = SaysPostedAndForgets(1);
  ForBoth(cases, {.name = "relay-loses-what-it-posted",
                  .section = "2 rule 2",
                  .shows = "fewer frames `stored` than were `posted`: they are posted again",
                  .script = loses,
                  .check = ComesBack});
}

// At most two and a half intervals of silence; the client says nothing of this stream's on the
// next.
void AddSilence(Cases& cases) {
  Script mute = Hasty();
  mute.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream > 0) return false;
    if (request.has_open()) channel.Honestly(stream, request);
    return true;
  };
  ForBoth(cases, {.name = "falls-silent",
                  .section = "2 Heartbeats",
                  .shows = "two and a half intervals without a word: a lost stream",
                  .script = mute,
                  .check = ComesBack});
  Script deaf = Hasty();
  deaf.on_request = [](ScriptedChannel&, size_t stream, const AttachRequest&) {
    return stream == 0;
  };
  ForBoth(cases, {.name = "takes-open-and-says-nothing",
                  .section = "6 Waiting",
                  .shows = "no `opened`, ever: the client's own timeout, at the latest",
                  .script = deaf,
                  .outcomes = {Outcome::kDone, Outcome::kTimedOut, Outcome::kNoRelay},
                  .timeout_seconds = 4});
  Script beats = Hasty();
  beats.peer_is_absent = true;
  ForBoth(cases, {.name = "heartbeats-only",
                  .section = "2 Heartbeats",
                  .shows = "a client sends `heartbeat` every interval",
                  .script = beats,
                  .outcomes = kTimeout,
                  .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                    const size_t count = t.CountRequests(Arm::kHeartbeat);
                    if (count < 5)
                      return "only " + std::to_string(count) + " heartbeats in 40 intervals";
                    return count > 100 ? "a flood of heartbeats" : "";
                  },
                  .timeout_seconds = 8});
}

// The most streams in any `seconds`.
size_t Busiest(const Transcript& transcript, double seconds) {
  const std::vector<double> begins = transcript.Begins();
  size_t most = 0, first = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    while (begins[i] - begins[first] > seconds) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

void AddSpins(Cases& cases) {
  const auto spin = [&cases](const char* name, const char* shows, Script script) {
    ForBoth(cases, {.name = name,
                    .section = "2 progress",
                    .shows = shows,
                    .script = std::move(script),
                    .outcomes = kTimeout,
                    .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                      const size_t most = Busiest(t, 2);
                      return most > 14 ? std::to_string(most) + " streams in 2 s" : "";
                    },
                    .timeout_seconds = 4});
  };
  spin("opened-and-cut", "`opened` and the end, each time: no progress, so the schedule counts",
       EndAfter(Arm::kOpen, kCut));
  spin("ended-in-peace", "`opened` and OK, each time: a lost stream like any other",
       EndAfter(Arm::kOpen, grpc::Status::OK));
  ForBoth(cases, {.name = "superseded-for-ever",
                  .section = "2 rule 7",
                  .shows = "the tenth SUPERSEDED without progress ends it, and it closes nothing",
                  .script = EndAfter(Arm::kOpen, Refusal(ErrorDetail::REASON_SUPERSEDED)),
                  .outcomes = {Outcome::kStale},
                  .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                    if (t.CountRequests(Arm::kClose) > 0) return "it closes the channel";
                    return t.streams() == 10 ? ""
                                             : std::to_string(t.streams()) + " streams, not 10";
                  }});
  ForBoth(cases, {.name = "superseded-twice",
                  .section = "2 rule 7",
                  .shows = "SUPERSEDED now and then ends nothing",
                  .script = EndAfter(Arm::kOpen, Refusal(ErrorDetail::REASON_SUPERSEDED), 2),
                  .check = ComesBack});
}

}  // namespace

void AddPostedCases(Cases& cases) {
  AddPosted(cases);
  AddSilence(cases);
  AddSpins(cases);
}

}  // namespace wormhole::conformance
