// Honest exchanges, and an `opened` that breaks the page or tries a client's trust.
#include <limits>
#include <utility>

#include "tests/conformance/bad_relay_case.h"
#include "tests/conformance/scripts.h"

namespace wormhole::conformance {
namespace {

using rendezvous::v1::Opened;
using Cases = std::vector<BadRelayCase>;

const Outcomes kStaleOnly = {Outcome::kStale};

std::string OneStream(const Transcript& transcript, const ClientEnd&) {
  return transcript.streams() == 1 ? "" : "it opens more than one stream";
}

std::string Silent(const Transcript& transcript, const ClientEnd&) {
  return transcript.CountRequests(Arm::kPost) == 0 ? ""
                                                   : "it posts to a channel that is not its own";
}

// A client that takes a stream for lost is served well on the next.
BadRelayCase LostOnce(const char* name, const char* shows, Script script) {
  return {.name = name,
          .section = "2 Opened",
          .shows = shows,
          .script = std::move(script),
          .check = ComesBack};
}

void AddStates(Cases& cases) {
  ForBoth(cases, LostOnce("opened-without-a-state", "an `opened` in no state is a lost stream",
                          ChangeOpened([](Opened& o) { o.clear_state(); }, 1)));
  ForBoth(cases,
          LostOnce("opened-in-an-unknown-state",
                   "an `opened` in a state that is not in the enum is a lost stream",
                   ChangeOpened([](Opened& o) { o.set_state(static_cast<Opened::State>(9)); }, 1)));
  ForBoth(cases, LostOnce("opened-waiting-unasked",
                          "WAITING to a side that did not ask to wait is a lost stream",
                          ChangeOpened([](Opened& o) { o.set_state(Opened::STATE_WAITING); }, 1)));
  ForBoth(cases, LostOnce("opened-id-zero", "an `opened` with the id 0 is a lost stream",
                          ChangeOpened([](Opened& o) { o.set_channel_id(0); }, 1)));
  ForBoth(cases, LostOnce("opened-id-of-ten-digits", "an id above 999,999,999 is a lost stream",
                          ChangeOpened([](Opened& o) { o.set_channel_id(1'000'000'000); }, 1)));
  Script other = ChangeOpened([](Opened& o) { o.set_channel_id(o.channel_id() + 1); });
  cases.push_back(
      {.name = "opened-with-another-id",
       .client = Role::kReceiver,
       .section = "2 Opened",
       .shows = "a client refuses another channel than its own, and posts nothing to it",
       .script = other,
       .outcomes = kTimeout,
       .check = Silent,
       .timeout_seconds = 3});
  Script later = EndAfter(Arm::kPost, grpc::Status(grpc::INTERNAL, "cut"), 1);
  later.on_response = [](size_t stream, std::vector<AttachResponse>& responses) {
    if (stream == 1 && responses[0].has_opened()) responses[0].mutable_opened()->set_channel_id(7);
  };
  ForBoth(cases, {.name = "resumed-with-another-id",
                  .section = "2 Opened",
                  .shows = "an `opened` with another id after a resume is a lost stream",
                  .script = later,
                  .check = [](const Transcript& t, const ClientEnd&) -> std::string {
                    return t.streams() >= 3 ? "" : "it goes on in another channel";
                  }});
}

void AddOutOfTurn(Cases& cases) {
  AttachResponse again;
  again.mutable_opened()->set_state(Opened::STATE_ATTACHED);
  again.mutable_opened()->set_channel_id(ScriptedChannel::kId);
  ForBoth(cases, LostOnce("opened-twice", "a second `opened` after ATTACHED is a lost stream",
                          After(AttachResponse::kOpened, again, 1)));
  ForBoth(cases, LostOnce("message-before-opened", "a `message` before `opened` is a lost stream",
                          Before(AttachResponse::kOpened, MessageOf(1, "early"), 1)));
  ForBoth(cases, LostOnce("posted-before-opened", "a `posted` before `opened` is a lost stream",
                          Before(AttachResponse::kOpened, Posted(1), 1)));
  AttachResponse status;
  status.mutable_peer_status()->set_presence(rendezvous::v1::PRESENCE_ATTACHED);
  ForBoth(cases,
          LostOnce("peer-status-before-opened", "a `peer_status` before `opened` is a lost stream",
                   Before(AttachResponse::kOpened, status, 1)));
}

void AddStaleness(Cases& cases) {
  const auto stale = [&cases](const char* name, const char* shows,
                              std::function<void(Opened&)> change) {
    ForBoth(cases, {.name = name,
                    .section = "7 Saved state",
                    .shows = shows,
                    .script = ChangeOpened(std::move(change)),
                    .outcomes = kStaleOnly,
                    .within_seconds = 18});
  };
  stale("more-stored-than-can-be", "more own frames stored than an exchange has: STALE_STATE",
        [](Opened& o) { o.set_stored(9); });
  stale("stored-beyond-all-numbers", "`stored` of 2^64-1 is no reason to crash: STALE_STATE",
        [](Opened& o) { o.set_stored(std::numeric_limits<uint64_t>::max()); });
  stale("more-accepted-than-can-be", "`peer_cursor` beyond what an exchange has: STALE_STATE",
        [](Opened& o) { o.set_peer_cursor(9); });
  stale("needed-frames-forgotten", "`peer_forgotten` beyond the own cursor: STALE_STATE",
        [](Opened& o) {
          o.set_peer_stored(3);
          o.set_peer_forgotten(3);
        });
  stale("left-before-it-began", "an unfinished side that has left: STALE_STATE",
        [](Opened& o) { o.set_left(true); });
}

void AddHarmless(Cases& cases) {
  const auto harmless = [&cases](const char* name, const char* shows,
                                 std::function<void(Opened&)> change) {
    ForBoth(cases, {.name = name,
                    .section = "2 Opened",
                    .shows = shows,
                    .script = ChangeOpened(std::move(change)),
                    .check = OneStream});
  };
  harmless("no-limits", "without limits the least that the page promises hold",
           [](Opened& o) { o.clear_limits(); });
  harmless("windows-too-small", "a window below the least is not believed", [](Opened& o) {
    o.mutable_limits()->set_window_frames(1);
    o.mutable_limits()->set_window_bytes(1);
  });
  harmless("no-expiry", "the time of expiry is news for people",
           [](Opened& o) { o.clear_expires_at(); });
  harmless("expired-already", "a relay's clock may be wrong",
           [](Opened& o) { o.mutable_expires_at()->set_seconds(-62'135'596'800); });
  harmless("unknown-presence", "a presence that is not in the enum is none",
           [](Opened& o) { o.set_peer(static_cast<rendezvous::v1::Presence>(77)); });
  harmless("long-motd", "a message of the day of 100,000 bytes harms nobody",
           [](Opened& o) { o.set_motd(std::string(100'000, 'm')); });
  ForBoth(cases,
          {.name = "controls-in-motd",
           .section = "2 Opened",
           .shows = "the message of the day is foreign text: no escape reaches a terminal",
           .script = ChangeOpened([](Opened& o) { o.set_motd("\x1b]0;title\x07\x1b[2J\xc2\x9b"); }),
           .check = [](const Transcript&, const ClientEnd& end) -> std::string {
             const bool bad = end.err.find('\x1b') != std::string::npos ||
                              end.err.find('\x07') != std::string::npos;
             return bad ? "it writes the relay's escapes to standard error" : "";
           }});
}

void AddHeartbeats(Cases& cases) {
  const auto beats = [&cases](const char* name, int64_t seconds, int32_t nanos) {
    ForBoth(cases, {.name = name,
                    .section = "2 Heartbeats",
                    .shows = "an interval that no client can keep is not kept",
                    .script = ChangeOpened([=](Opened& o) {
                      o.mutable_heartbeat_interval()->set_seconds(seconds);
                      o.mutable_heartbeat_interval()->set_nanos(nanos);
                    }),
                    .check = [](const Transcript& t, const ClientEnd& end) -> std::string {
                      const auto most = static_cast<size_t>(20 + 20 * end.seconds);
                      return t.CountRequests(Arm::kHeartbeat) > most ? "it floods with heartbeats"
                                                                     : "";
                    }});
  };
  beats("heartbeat-interval-zero", 0, 0);
  beats("heartbeat-interval-negative", -5, -5);
  beats("heartbeat-interval-of-ages", std::numeric_limits<int64_t>::max(), 0);
}

}  // namespace

void AddHonestCases(Cases& cases) {
  ForBoth(cases, {.name = "honest",
                  .section = "4 Frames",
                  .shows = "an exchange that nobody disturbs",
                  .script = {},
                  .check = OneStream});
  ForBoth(cases, {.name = "empty-data",
                  .section = "4 Frames",
                  .shows = "no data is sealed too",
                  .script = {},
                  .client_data = "",
                  .peer_data = ""});
  ForBoth(cases, {.name = "most-data",
                  .section = "4 Frames",
                  .shows = "65,000 bytes fit, in both directions",
                  .script = {},
                  .client_data = std::string(65'000, 'c'),
                  .peer_data = std::string(65'000, 'p')});
}

void AddOpenedCases(Cases& cases) {
  AddStates(cases);
  AddOutOfTurn(cases);
  AddStaleness(cases);
  AddHarmless(cases);
  AddHeartbeats(cases);
}

}  // namespace wormhole::conformance
