// What a client does not do for any relay: try for ever what cannot be, come back too often, or
// send what it was told not to.
#include <algorithm>
#include <string>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using Cases = std::vector<BadRelayCase>;

const Outcomes kRefused = {Outcome::kNoRelay};

std::string OneStream(const Transcript& transcript, const ClientEnd&) {
  return transcript.streams() == 1 ? "" : "it opens more than one stream";
}

grpc::Status UnknownReason(grpc::StatusCode code) {
  ErrorDetail detail;
  detail.set_reason(static_cast<ErrorDetail::Reason>(99));
  return RefusalAs(code, detail);
}

void AddBareStatuses(Cases& cases) {
  for (const auto& [name, code] : {std::pair{"unauthenticated", grpc::UNAUTHENTICATED},
                                   {"unimplemented", grpc::UNIMPLEMENTED},
                                   {"permission-denied", grpc::PERMISSION_DENIED}}) {
    const std::string shows = std::string(name) + " without a detail is final, and told at once";
    const bool token = code == grpc::UNAUTHENTICATED;
    ForBoth(cases, {.name = std::string("open-") + name,
                    .section = "2 Errors",
                    .shows = shows,
                    .script = EndAt(Arm::kOpen, {code, "no"}),
                    .outcomes = kRefused,
                    .check = OneStream,
                    .within_seconds = 18});
    ForBoth(cases, {.name = std::string("post-") + name,
                    .section = "2 Errors",
                    .shows = token ? shows + ", also within an exchange"
                                   : std::string(name) + " behind an `opened` is a lost stream",
                    .script = EndAt(Arm::kPost, {code, "no"}, token ? kEver : 1),
                    .outcomes = token ? kRefused : kOnlyDone,
                    .check = token ? OneStream : ComesBack,
                    .within_seconds = 18});
    ForBoth(cases, {.name = std::string("close-") + name,
                    .section = "2 Errors",
                    .shows = "one that has finished has succeeded, whatever ends its close",
                    .script = EndAt(Arm::kClose, {code, "no"})});
  }
  const grpc::Status bare(grpc::RESOURCE_EXHAUSTED, "message larger than max");
  ForBoth(cases,
          {.name = "post-exhausts-a-resource",
           .section = "2 Errors",
           .shows = "a bare RESOURCE_EXHAUSTED behind the same post is final the second time",
           .script = EndAt(Arm::kPost, bare),
           .outcomes = kRefused,
           .check = [](const Transcript& t, const ClientEnd&) -> std::string {
             const size_t posts = t.CountRequests(Arm::kPost);
             return posts == 2 ? "" : "it posts " + std::to_string(posts) + " times, not twice";
           }});
  ForBoth(cases, {.name = "post-exhausts-a-resource-once",
                  .section = "2 Errors",
                  .shows = "once it is a lost stream",
                  .script = EndAt(Arm::kPost, bare, 1),
                  .check = ComesBack});
}

void AddUnknownReasons(Cases& cases) {
  const auto unknown = [&cases](const char* name, grpc::StatusCode code, bool is_final) {
    ForBoth(cases,
            {.name = std::string("unknown-reason-") + name,
             .section = "2 Errors",
             .shows = is_final ? "with a reason that it does not know the code decides: final"
                               : "with a reason that it does not know the code decides: lost",
             .script = EndAt(Arm::kOpen, UnknownReason(code), is_final ? kEver : 1),
             .outcomes = is_final ? kRefused : kOnlyDone,
             .check = is_final ? OneStream : ComesBack,
             .within_seconds = 18});
  };
  unknown("invalid-argument", grpc::INVALID_ARGUMENT, true);
  unknown("already-exists", grpc::ALREADY_EXISTS, true);
  unknown("permission-denied", grpc::PERMISSION_DENIED, true);
  unknown("unauthenticated", grpc::UNAUTHENTICATED, true);
  unknown("failed-precondition", grpc::FAILED_PRECONDITION, true);
  unknown("aborted", grpc::ABORTED, false);
  unknown("unavailable", grpc::UNAVAILABLE, false);
  unknown("resource-exhausted", grpc::RESOURCE_EXHAUSTED, false);
  ErrorDetail crowded;
  crowded.set_reason(ErrorDetail::REASON_CROWDED);
  cases.push_back({.name = "known-reason-with-another-code",
                   .client = Role::kReceiver,
                   .section = "2 Errors",
                   .shows = "a reason of the table decides, whatever code comes with it",
                   .script = EndAt(Arm::kOpen, RefusalAs(grpc::UNAVAILABLE, crowded)),
                   .outcomes = {Outcome::kOccupied},
                   .check = OneStream,
                   .within_seconds = 18});
  ForBoth(cases, {.name = "busy-without-a-delay",
                  .section = "2 Errors",
                  .shows = "a reason that should have a delay and has none is a lost stream",
                  .script = EndAt(Arm::kOpen, Refusal(ErrorDetail::REASON_BUSY), 1),
                  .check = ComesBack});
}

void AddFrameLimits(Cases& cases) {
  const auto limited = [&cases](const char* name, uint32_t most, const char* shows) {
    ForBoth(cases, {.name = name,
                    .section = "2 Transport",
                    .shows = shows,
                    .script = ChangeOpened([=](rendezvous::v1::Opened& o) {
                      o.mutable_limits()->set_max_frame_bytes(most);
                    }),
                    .outcomes = kRefused,
                    .check = [=](const Transcript& t, const ClientEnd&) -> std::string {
                      for (const Entry& entry : t.entries) {
                        if (entry.request.post().frame().size() > most)
                          return "it posts a longer frame";
                      }
                      return "";
                    },
                    .within_seconds = 18});
  };
  limited("no-room-for-a-share", 60, "no frame above max_frame_bytes is posted: refused");
  limited("no-room-for-a-box", 250,
          "no frame above max_frame_bytes is posted, though the key is there");
}

void AddForeignWords(Cases& cases) {
  ForBoth(cases, {.name = "response-without-an-arm",
                  .section = "9 Versions",
                  .shows = "a response with no arm that the client knows is a lost stream",
                  .script = After(AttachResponse::kOpened, AttachResponse(), 1),
                  .check = ComesBack});
  ForBoth(cases, {.name = "heartbeat-before-opened",
                  .section = "2 The relay",
                  .shows = "a heartbeat may come before `opened`",
                  .script = Before(AttachResponse::kOpened, Beat()),
                  .check = OneStream});
  Script drain;
  drain.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (stream > 0 || !request.has_post()) return false;
    channel.Say(stream, DrainingAfter(1500));
    channel.End(stream, {grpc::INTERNAL, "cut"});
    return true;
  };
  ForBoth(cases, {.name = "draining-and-cut",
                  .section = "2 Errors",
                  .shows = "the delay of `draining` holds whatever ends the stream",
                  .script = drain,
                  .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                    const std::vector<double> begins = t.Begins();
                    if (begins.size() < 2) return "it does not come back";
                    return begins[1] - begins[0] < 1.2 ? "it comes back before the delay is over"
                                                       : "";
                  }});
  for (const Role role : kBoth) {
    Script behind;
    behind.on_response = [last = role == Role::kInitiator ? uint64_t{2} : uint64_t{3}](
                             size_t, std::vector<AttachResponse>& responses) {
      if (!responses[0].has_message() || responses[0].message().number() != last) return;
      responses.push_back(MessageOf(last + 1, "no frame at all"));
      responses.push_back(MessageOf(last + 9, ""));
    };
    cases.push_back({.name = "frames-behind-the-last",
                     .client = role,
                     .section = "4 Frames",
                     .shows = "what comes behind Sealed 0 is ignored, whatever it holds",
                     .script = behind});
  }
}

// The most streams in two seconds.
size_t Busiest(const Transcript& transcript) {
  const std::vector<double> begins = transcript.Begins();
  size_t most = 0, first = 0;
  for (size_t i = 0; i < begins.size(); ++i) {
    while (begins[i] - begins[first] > 2) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

void AddSpins(Cases& cases) {
  const auto spin = [&cases](const char* name, const char* shows, Script script) {
    ForBoth(cases, {.name = name,
                    .section = "6 Waiting",
                    .shows = shows,
                    .script = std::move(script),
                    .outcomes = kTimeout,
                    .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                      const size_t most = Busiest(t);
                      return most > 14 ? std::to_string(most) + " streams in 2 s" : "";
                    },
                    .timeout_seconds = 4});
  };
  Script forgets;
  forgets.on_request = [](ScriptedChannel& channel, size_t stream, const AttachRequest& request) {
    if (!request.has_post()) return false;
    channel.Say(stream, Posted(request.post().number()));
    channel.End(stream, {grpc::INTERNAL, "cut"});
    return true;
  };
  spin("posted-forgotten-and-cut", "`posted`, the end, and nothing stored: progress counts once",
       forgets);
  Script stored = EndAfter(Arm::kOpen, {grpc::INTERNAL, "cut"});
  stored.on_response = [](size_t stream, std::vector<AttachResponse>& responses) {
    if (responses[0].has_opened()) responses[0].mutable_opened()->set_stored(stream % 2);
  };
  spin("stored-to-and-fro", "`stored` goes up and down: no progress", stored);
  Script left;
  left.peer_is_absent = true;
  left.on_response = [](size_t, std::vector<AttachResponse>& responses) {
    if (!responses[0].has_opened()) return;
    AttachResponse status;
    status.mutable_peer_status()->set_presence(rendezvous::v1::PRESENCE_LEFT);
    responses.push_back(status);
  };
  spin("left-says-peer-status-only", "LEFT in a `peer_status` ends nothing: the stream is given up",
       left);
}

}  // namespace

void AddLimitCases(Cases& cases) {
  AddBareStatuses(cases);
  AddUnknownReasons(cases);
  AddFrameLimits(cases);
  AddForeignWords(cases);
  AddSpins(cases);
}

}  // namespace wormhole::conformance
