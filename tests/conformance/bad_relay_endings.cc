// How a relay may end a stream: each reason and code, moods, delays, and the end of an exchange.
#include <string>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

std::string NotAgain(const Transcript& transcript, const ClientEnd&) {
  return transcript.streams() == 1 ? "" : "it comes back after a final refusal";
}

// It may come back to close.
std::string NoPostAgain(const Transcript& transcript, const ClientEnd&) {
  return transcript.CountRequests(Arm::kPost) <= 1 ? "" : "it posts after a final refusal";
}

void AddRefusedOpens(Cases& cases) {
  const auto refused = [&cases](const char* name, Role client, ErrorDetail::Reason reason,
                                Outcomes outcomes) {
    cases.push_back(
        {.name = name,
         .client = client,
         .section = "2 Errors",
         .shows = ErrorDetail::Reason_Name(reason) + " in answer to the first `open` is final",
         .script = EndAt(Arm::kOpen, Refusal(reason)),
         .outcomes = std::move(outcomes),
         .check = NotAgain,
         .within_seconds = 18});
  };
  const Role i = Role::kInitiator, r = Role::kReceiver;
  for (const Role role : {i, r}) {
    refused("open-malformed", role, ErrorDetail::REASON_MALFORMED, {Outcome::kNoRelay});
    refused("open-not-allowed", role, ErrorDetail::REASON_NOT_ALLOWED, {Outcome::kNoRelay});
    refused("open-side-in-use", role, ErrorDetail::REASON_SIDE_IN_USE, {Outcome::kNoRelay});
  }
  refused("open-taken", i, ErrorDetail::REASON_TAKEN, {Outcome::kOccupied});
  refused("open-crowded", r, ErrorDetail::REASON_CROWDED, {Outcome::kOccupied});
  refused("open-never-allocated", r, ErrorDetail::REASON_NEVER_ALLOCATED, {Outcome::kNoSuchCode});
  refused("open-expired", r, ErrorDetail::REASON_EXPIRED, {Outcome::kNoSuchCode});
  refused("open-closed", r, ErrorDetail::REASON_CLOSED, {Outcome::kNoSuchCode});
}

void AddRefusedPosts(Cases& cases) {
  const auto refused = [&cases](const char* name, ErrorDetail::Reason reason, Outcomes outcomes) {
    ForBoth(cases, {.name = name,
                    .section = "2 Errors",
                    .shows = ErrorDetail::Reason_Name(reason) + " in answer to a `post` is final",
                    .script = EndAt(Arm::kPost, Refusal(reason)),
                    .outcomes = std::move(outcomes),
                    .check = NoPostAgain,
                    .within_seconds = 18});
  };
  refused("post-malformed", ErrorDetail::REASON_MALFORMED, {Outcome::kNoRelay});
  refused("post-conflict", ErrorDetail::REASON_CONFLICT, {Outcome::kNoRelay});
  refused("post-window", ErrorDetail::REASON_WINDOW, {Outcome::kNoRelay});
  refused("post-stale", ErrorDetail::REASON_STALE_STATE, {Outcome::kStale});
}

void AddMoods(Cases& cases) {
  const auto closed = [&cases](const char* name, rendezvous::v1::Mood mood, uint64_t at,
                               Role client, Outcomes outcomes, const char* shows) {
    Script script;
    script.on_request = [=](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
      if (channel.client_stored() + 1 < at || !request.has_post()) return false;
      channel.End(stream, Closed(mood));
      return true;
    };
    cases.push_back({.name = name,
                     .client = client,
                     .section = "2 rule 6",
                     .shows = shows,
                     .script = script,
                     .outcomes = std::move(outcomes),
                     .within_seconds = 18});
  };
  const Role i = Role::kInitiator, r = Role::kReceiver;
  for (const Role role : {i, r}) {
    closed("closed-scary-before-the-key", rendezvous::v1::MOOD_SCARY, 1, role,
           {Outcome::kWrongCode}, "before key confirmation scary means wrong code");
  }
  closed("closed-scary-after-the-key", rendezvous::v1::MOOD_SCARY, 2, i, {Outcome::kGaveUp},
         "after key confirmation scary means that the exchange was aborted");
  closed("closed-scary-after-the-key", rendezvous::v1::MOOD_SCARY, 2, r, {Outcome::kGaveUp},
         "after key confirmation scary means that the exchange was aborted");
  closed("closed-lonely", rendezvous::v1::MOOD_LONELY, 1, i, {Outcome::kGaveUp},
         "the other side gave up");
  closed("closed-errory", rendezvous::v1::MOOD_ERRORY, 1, i, {Outcome::kGaveUp},
         "the other side failed");
  for (const Role role : {i, r}) {
    closed("closed-happy-unfinished", rendezvous::v1::MOOD_HAPPY, 2, role, {Outcome::kStale},
           "CLOSED happy met by an unfinished client is STALE_STATE");
    closed("closed-in-no-mood", rendezvous::v1::MOOD_UNSPECIFIED, 2, role, {Outcome::kNoSuchCode},
           "a mood that is none ends the exchange too");
  }
}

void AddLostStreams(Cases& cases) {
  const auto lost = [&cases](const char* name, const char* shows, grpc::Status status) {
    ForBoth(cases, {.name = name,
                    .section = "2 Errors",
                    .shows = shows,
                    .script = EndAfter(Arm::kOpen, std::move(status), 1),
                    .check = ComesBack});
  };
  lost("ends-ok", "OK is a lost stream to one that has not closed", grpc::Status::OK);
  lost("ends-internal", "INTERNAL, as proxies say it, is a lost stream", {grpc::INTERNAL, "x"});
  lost("ends-unknown", "UNKNOWN is a lost stream", {grpc::UNKNOWN, "x"});
  lost("ends-unavailable", "UNAVAILABLE without a detail is a lost stream",
       {grpc::UNAVAILABLE, "x"});
  lost("ends-aborted", "ABORTED without a detail is a lost stream", {grpc::ABORTED, "x"});
  lost("ends-with-rubbish", "a detail that cannot be read is none",
       {grpc::UNAVAILABLE, "x", std::string(50, '\xff')});
}

void AddDelays(Cases& cases) {
  const auto delayed = [&cases](const char* name, ErrorDetail::Reason reason) {
    ForBoth(cases, {.name = name,
                    .section = "2 Errors",
                    .shows = ErrorDetail::Reason_Name(reason) + ": again after the delay",
                    .script = EndAt(Arm::kOpen, Later(reason, 1500), 1),
                    .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                      const std::vector<double> begins = t.Begins();
                      if (begins.size() < 2) return "it does not come back";
                      const double gap = begins[1] - begins[0];
                      return gap < 1.2 ? "it comes back after " + std::to_string(gap) + " s" : "";
                    }});
  };
  delayed("busy", ErrorDetail::REASON_BUSY);
  delayed("draining", ErrorDetail::REASON_DRAINING);
  delayed("store-away", ErrorDetail::REASON_STORE_AWAY);
  ForBoth(cases, {.name = "busy-for-ages",
                  .section = "6 Waiting",
                  .shows = "a delay beyond the timeout is no reason to wait longer than that",
                  .script = EndAt(Arm::kOpen, Later(ErrorDetail::REASON_BUSY, int64_t{1} << 40)),
                  .outcomes = kTimeout,
                  .timeout_seconds = 3});
  ForBoth(cases, {.name = "busy-for-less-than-nothing",
                  .section = "2 Errors",
                  .shows = "a negative delay is no leave to spin",
                  .script = EndAt(Arm::kOpen, Later(ErrorDetail::REASON_BUSY, -5000)),
                  .outcomes = kTimeout,
                  .timeout_seconds = 4});
  Script drain;
  drain.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream > 0 || !request.has_post()) return false;
    channel.Honestly(stream, request);
    channel.Say(stream, DrainingAfter(1500));
    channel.End(stream, Later(ErrorDetail::REASON_DRAINING, 1500));
    return true;
  };
  ForBoth(cases, {.name = "drains-within-the-exchange",
                  .section = "2 Errors",
                  .shows = "`draining` and the end: resumed after the delay",
                  .script = drain,
                  .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                    const std::vector<double> begins = t.Begins();
                    if (begins.size() < 2) return "it does not come back";
                    return begins[1] - begins[0] < 1.2 ? "it comes back before the delay is over"
                                                       : "";
                  }});
}

void AddCloses(Cases& cases) {
  const auto at_close = [&cases](const char* name, const char* shows, Script script) {
    ForBoth(cases,
            {.name = name, .section = "2 Errors", .shows = shows, .script = std::move(script)});
  };
  at_close("close-cut-once", "a `close` that was lost is said again",
           EndAt(Arm::kClose, {grpc::INTERNAL, "cut"}, 1));
  at_close("close-not-found", "a client that has finished has succeeded: NEVER_ALLOCATED",
           EndAt(Arm::kClose, Refusal(ErrorDetail::REASON_NEVER_ALLOCATED)));
  at_close("close-expired", "a client that has finished has succeeded: EXPIRED",
           EndAt(Arm::kClose, Refusal(ErrorDetail::REASON_EXPIRED)));
  at_close("close-closed-scary", "a client that has finished has succeeded: CLOSED scary",
           EndAt(Arm::kClose, Closed(rendezvous::v1::MOOD_SCARY)));
  Script ignored;
  ignored.on_request = [](ScriptedChannel&, size_t, const AttachRequest& request) {
    return request.has_close();
  };
  at_close("close-not-answered",
           "a client that has finished has succeeded, whatever becomes of `close`", ignored);
  for (BadRelayCase& row : cases) {
    if (row.name.compare(0, 5, "close") == 0 && row.name[5] == '-') row.timeout_seconds = 5;
  }
}

}  // namespace

void AddEndingCases(Cases& cases) {
  AddRefusedOpens(cases);
  AddRefusedPosts(cases);
  AddMoods(cases);
  AddLostStreams(cases);
  AddDelays(cases);
  AddCloses(cases);
}

}  // namespace wormhole::conformance
