// Drives the exchange through the client's table of PROTOCOL.md, section 11: every event in every
// state, for every role that can be in it. The page is the law: a cell that is not as the code does
// is a fault of one of them.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/core/exchange.h"
#include "client/core/testing/known_inputs.h"
#include "client/core/testing/outcome_names.h"
#include "gtest/gtest.h"
#include "proto/error/error_detail.h"
#include "proto/page/tables.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::StatusCode;
using error::ErrorDetail;
using nlohmann::json;
using pake::Role;
using rendezvous::v1::AttachResponse;
using rendezvous::v1::Opened;

constexpr uint32_t kId = 4;
constexpr absl::Duration kDelay = absl::Seconds(7);
constexpr absl::Duration kTimeout = absl::Seconds(180);

const json& Frames() {
  static const json* const file = new json(LoadVectors("frames.json"));
  return *file;
}

std::string MoodName(rendezvous::v1::Mood mood) {
  const std::string name = rendezvous::v1::Mood_Name(mood);
  return absl::AsciiStrToLower(name.substr(std::string("MOOD_").size()));
}

// One exchange in one of the table's states, and all that it has done.
class Client {
 public:
  Client(Role role, bool ask)
      : role_(role), side_(Frames()["inputs"], role, [ask](ExchangeConfig& config) {
          config.wait = config.role == Role::kReceiver;
          config.confirm_verifier = ask;
          config.timeout = kTimeout;
        }) {}

  // --- What happens to it.

  void Do(Event event) {
    for (Effect& effect : side_.exchange().Step(std::move(event), Now())) Note(std::move(effect));
  }
  void Hear(AttachResponse response) { Do(Received{std::move(response)}); }
  void End(absl::Status status) {
    has_stream = false;
    lost = true;
    Do(Ended{std::move(status)});
  }
  void WakeAfter(absl::Duration time) {
    now_ += time;
    Do(Wake{});
  }
  // Until it opens a stream, or an hour is over. What it waited.
  absl::Duration AwaitStream() {
    const absl::Duration before = now_;
    while (!has_stream && !over && now_ - before < absl::Hours(1)) {
      const auto wake = side_.exchange().NextWake();
      if (!wake) break;
      now_ = std::max(now_, *wake);
      Do(Wake{});
    }
    return now_ - before;
  }

  // --- What it has done. `has_stream`: one that it has not given up, and that has not ended.
  bool has_stream = false;
  bool awaits_opened = false;
  bool lost = false;  // a stream has ended, or it gave one up
  bool over = false;
  bool data = false;
  std::optional<Reason> failure;
  std::optional<rendezvous::v1::Mood> closed;

  Role role() const { return role_; }
  bool burnt() { return absl::StrContains(side_.exchange().Serialize(), "\"burnt\":true"); }
  uint64_t peer_total() const { return role_ == Role::kInitiator ? 2 : 3; }

  uint64_t cursor = 0;  // of the peer's honest frames, how many it was handed

 private:
  void Note(Effect effect) {
    if (std::holds_alternative<OpenStream>(effect)) {
      lost = lost || has_stream;
      has_stream = awaits_opened = true;
    }
    if (std::holds_alternative<DropStream>(effect)) {
      lost = lost || has_stream;
      has_stream = false;
    }
    if (auto* send = std::get_if<Send>(&effect); send != nullptr && send->request.has_close()) {
      closed = send->request.close().mood();
    }
    if (auto* failed = std::get_if<Failed>(&effect)) failure = ReasonOf(failed->status);
    if (std::holds_alternative<DataReady>(effect)) data = true;
    if (std::holds_alternative<Over>(effect)) over = true;
  }

  Instant Now() const { return {absl::UnixEpoch() + now_, now_}; }

  const Role role_;
  absl::Duration now_ = absl::Hours(1000);
  KnownSide side_;
};

// --- What a relay says.

AttachResponse OpenedAs(const std::function<void(Opened&)>& change = nullptr) {
  AttachResponse response;
  Opened& opened = *response.mutable_opened();
  opened.set_state(Opened::STATE_ATTACHED);
  opened.set_channel_id(kId);
  opened.set_peer(rendezvous::v1::PRESENCE_ATTACHED);
  opened.mutable_limits()->set_max_frame_bytes(66'000);
  opened.mutable_limits()->set_window_frames(16);
  opened.mutable_limits()->set_window_bytes(1 << 20);
  opened.mutable_heartbeat_interval()->set_seconds(20);
  if (change) change(opened);
  return response;
}

AttachResponse Waiting() {
  return OpenedAs([](Opened& opened) {
    opened.set_state(Opened::STATE_WAITING);
    opened.set_peer(rendezvous::v1::PRESENCE_ABSENT);
  });
}

AttachResponse MessageOf(uint64_t number, const std::string& frame) {
  AttachResponse response;
  response.mutable_message()->set_number(number);
  response.mutable_message()->set_frame(frame);
  return response;
}

AttachResponse PostedAs(uint64_t number) {
  AttachResponse response;
  response.mutable_posted()->set_number(number);
  return response;
}

AttachResponse PeerStatusAs(rendezvous::v1::Presence presence, uint64_t cursor) {
  AttachResponse response;
  response.mutable_peer_status()->set_presence(presence);
  response.mutable_peer_status()->set_peer_cursor(cursor);
  return response;
}

// The next honest frame of the peer, or one behind its last.
AttachResponse NextMessage(const Client& client) {
  const json& frames = Frames()[client.role() == Role::kInitiator ? "receiver" : "initiator"];
  const uint64_t number = client.cursor + 1;
  return MessageOf(number,
                   number <= frames.size() ? FromHex(frames[number - 1]) : std::string("behind"));
}

std::string FrameWithoutVersion() {
  for (const json& c : Frames()["cases"]) {
    if (c["expect"] == "no common version") return FromHex(c["frame"]);
  }
  return "";
}

absl::Status With(ErrorDetail::Reason reason,
                  rendezvous::v1::Mood mood = rendezvous::v1::MOOD_UNSPECIFIED) {
  const bool delayed = reason == ErrorDetail::REASON_BUSY ||
                       reason == ErrorDetail::REASON_DRAINING ||
                       reason == ErrorDetail::REASON_STORE_AWAY;
  error::DetailFields fields{.mood = mood};
  if (delayed) fields.retry_delay = kDelay;
  return error::Make(reason, "as the relay says", fields);
}

// A reason of the future, under a code of today.
absl::Status WithUnknown(StatusCode code) {
  const std::string envelope = error::ToEnvelope(With(static_cast<ErrorDetail::Reason>(99)));
  return error::FromWire(static_cast<int>(code), "as the relay says", envelope);
}

// --- The states.

// Takes the peer's next honest frame.
void Take(Client& client) {
  client.Hear(NextMessage(client));
  ++client.cursor;
}

// Into `state`, or nothing when the role is never in it.
std::optional<Client> Reach(const std::string& state, Role role, bool ask) {
  const bool initiator = role == Role::kInitiator;
  if (initiator && (state == "waiting" || state == "answered")) return std::nullopt;
  Client client(role, ask);
  client.Do(Start{});
  if (state == "opening") return client;
  if (state == "waiting") {
    client.Hear(Waiting());
    return client;
  }
  client.Hear(OpenedAs());
  if (state == "joined") return client;
  Take(client);
  if (state == "answered") return client;
  if (!initiator) {
    client.Hear(PostedAs(1));
    Take(client);
  }
  if (state == "confirmed") return client;
  if (ask) client.Do(AcceptVerifier{true});
  client.Hear(PostedAs(initiator ? 3 : 2));
  Take(client);
  EXPECT_TRUE(client.data && client.closed == rendezvous::v1::MOOD_HAPPY) << state;
  return client;
}

// --- The events.

// The stream is lost, and the next one is opened as the event says.
void OpenAnew(Client& client, const std::string& state,
              const std::function<void(Opened&)>& change) {
  if (state != "opening") {
    client.End(absl::UnavailableError("connection reset"));
    client.AwaitStream();
  }
  client.lost = false;
  client.awaits_opened = false;
  client.Hear(OpenedAs([&](Opened& opened) {
    const bool initiator = client.role() == Role::kInitiator;
    const bool behind_first = state == "confirmed" || state == "finished";
    opened.set_stored(state == "opening"                    ? 0
                      : state == "joined" && !initiator     ? 0
                      : behind_first && state == "finished" ? (initiator ? 3 : 2)
                                                            : 1);
    opened.set_peer_stored(client.cursor);
    change(opened);
  }));
}

using Occur = std::function<void(Client&, const std::string& state)>;

void AddEndings(std::map<std::string, Occur>& events) {
  const auto ends = [&events](const std::string& name, absl::Status status) {
    events[name] = [status](Client& client, const std::string&) { client.End(status); };
  };
  ends("ended without reason", absl::InternalError("a proxy's"));
  ends("ended UNAUTHENTICATED without reason", absl::UnauthenticatedError("token?"));
  ends("ended UNIMPLEMENTED without reason", absl::UnimplementedError("no such service"));
  ends("ended PERMISSION_DENIED without reason", absl::PermissionDeniedError("a mesh's"));
  for (StatusCode code : {StatusCode::kAborted, StatusCode::kInvalidArgument,
                          StatusCode::kPermissionDenied, StatusCode::kUnauthenticated}) {
    ends("unknown reason, " + absl::StatusCodeToString(code), WithUnknown(code));
  }
  for (int i = 1; i < ErrorDetail::Reason_ARRAYSIZE; ++i) {
    const auto reason = static_cast<ErrorDetail::Reason>(i);
    if (reason == ErrorDetail::REASON_CLOSED) continue;
    ends(std::string(absl::StripPrefix(ErrorDetail::Reason_Name(reason), "REASON_")), With(reason));
  }
  for (auto mood : {rendezvous::v1::MOOD_HAPPY, rendezvous::v1::MOOD_LONELY,
                    rendezvous::v1::MOOD_SCARY, rendezvous::v1::MOOD_ERRORY}) {
    ends("CLOSED " + MoodName(mood), With(ErrorDetail::REASON_CLOSED, mood));
  }
  ends("CLOSED with another mood",
       With(ErrorDetail::REASON_CLOSED, static_cast<rendezvous::v1::Mood>(77)));
  events["ended RESOURCE_EXHAUSTED without reason, twice behind the same post"] =
      [](Client& client, const std::string& state) {
        client.End(absl::ResourceExhaustedError("message larger than max"));
        EXPECT_FALSE(client.failure) << state;
        client.AwaitStream();
        client.Hear(OpenedAs([&](Opened& opened) { opened.set_peer_stored(client.cursor); }));
        client.End(absl::ResourceExhaustedError("message larger than max"));
      };
}

void AddWords(std::map<std::string, Occur>& events) {
  const auto hears = [&events](const std::string& name,
                               const std::function<AttachResponse(const Client&)>& make) {
    events[name] = [make](Client& client, const std::string&) { client.Hear(make(client)); };
  };
  hears("draining", [](const Client&) {
    AttachResponse response;
    response.mutable_draining()->mutable_reconnect_delay()->set_seconds(1);
    return response;
  });
  hears("heartbeat", [](const Client&) {
    AttachResponse response;
    response.mutable_heartbeat();
    return response;
  });
  hears("response without a known arm", [](const Client&) { return AttachResponse(); });
  hears("opened WAITING, asked for", [](const Client&) { return Waiting(); });
  hears("opened ATTACHED", [](const Client&) { return OpenedAs(); });
  events["opened with another id"] = [](Client& client, const std::string& state) {
    const bool knows_none = state == "opening" && client.role() == Role::kInitiator;
    client.Hear(OpenedAs([&](Opened& opened) { opened.set_channel_id(knows_none ? 0 : 5); }));
  };
  hears("message, the next, good", NextMessage);
  hears("message, the next, bad",
        [](const Client& client) { return MessageOf(client.cursor + 1, "no frame"); });
  hears("message, the next, without a common version",
        [](const Client& client) { return MessageOf(client.cursor + 1, FrameWithoutVersion()); });
  hears("message, a gap",
        [](const Client& client) { return MessageOf(client.cursor + 2, "no frame"); });
  hears("message, had before",
        [](const Client& client) { return MessageOf(client.cursor, "no frame"); });
  hears("posted of what was never posted", [](const Client&) { return PostedAs(99); });
  hears("peer_status with a cursor beyond the log",
        [](const Client&) { return PeerStatusAs(rendezvous::v1::PRESENCE_ATTACHED, 99); });
  events["peer_status LEFT, and nothing for a second"] = [](Client& client, const std::string&) {
    client.Hear(PeerStatusAs(rendezvous::v1::PRESENCE_LEFT, 0));
    client.WakeAfter(absl::Milliseconds(1100));
  };
}

void AddOpenings(std::map<std::string, Occur>& events) {
  const auto anew = [&events](const std::string& name,
                              const std::function<void(const Client&, Opened&)>& change) {
    events["opened anew: " + name] = [change](Client& client, const std::string& state) {
      OpenAnew(client, state, [&](Opened& opened) { change(client, opened); });
    };
  };
  anew("this side has left", [](const Client&, Opened& opened) { opened.set_left(true); });
  anew("more stored than it can make", [](const Client&, Opened& opened) { opened.set_stored(9); });
  anew("forgotten beyond the cursor", [](const Client& client, Opened& opened) {
    opened.set_peer_stored(client.cursor + 1);
    opened.set_peer_forgotten(client.cursor + 1);
  });
  anew("peer LEFT, log read",
       [](const Client&, Opened& opened) { opened.set_peer(rendezvous::v1::PRESENCE_LEFT); });
}

std::map<std::string, Occur> Events() {
  std::map<std::string, Occur> events;
  AddEndings(events);
  AddWords(events);
  AddOpenings(events);
  events["timeout"] = [](Client& client, const std::string&) { client.WakeAfter(kTimeout); };
  events["cancelled"] = [](Client& client, const std::string&) { client.Do(Cancel{}); };
  events["verifier refused"] = [](Client& client, const std::string&) {
    client.Do(AcceptVerifier{false});
  };
  return events;
}

// Whether the event is one for this role: what it would mean to the other is not what it is called.
bool IsFor(const std::string& event, const std::string& state, Role role) {
  if (event == "opened WAITING, asked for" || absl::StrContains(event, "common version")) {
    return role == Role::kReceiver;
  }
  if (absl::StrContains(event, "twice behind the same post") && state == "joined") {
    return role == Role::kInitiator;  // the receiver has posted nothing
  }
  return true;
}

// --- What came of it, in the table's words.

std::string Ending(Client& client) {
  // A close may wait for the answer to an open.
  if (!client.closed && client.has_stream && client.awaits_opened) client.Hear(OpenedAs());
  return absl::StrCat(std::string(OutcomeName(*client.failure)), ", ",
                      client.closed ? MoodName(*client.closed) : "none",
                      client.burnt() ? ", burnt" : "");
}

// After a SUPERSEDED: nine more end it.
std::string Counted(Client& client) {
  for (int i = 1; i < 10 && !client.over; ++i) {
    client.AwaitStream();
    client.End(With(ErrorDetail::REASON_SUPERSEDED));
  }
  const bool right = client.over && (client.data || client.failure == Reason::kInUseElsewhere);
  return right ? "counted" : "not counted";
}

std::string Came(Client& client, const std::string& event) {
  if (event == "SUPERSEDED") return Counted(client);
  if (client.failure) return Ending(client);
  if (client.over) return "over";
  if (!client.lost) return "go on";
  const absl::Duration waited = client.AwaitStream();
  if (!client.has_stream) return "nothing";
  return waited >= kDelay ? "later" : "again";
}

TEST(ProtocolPageTest, EveryCellOfTheClientsTable) {
  const std::map<std::string, Occur> events = Events();
  int driven = 0;
  for (const auto& [event, state, outcome] :
       page::StateTableWith("event | opening | waiting | joined | answered | confirmed | finished",
                            page::NamesOf(events))) {
    for (Role role : {Role::kInitiator, Role::kReceiver}) {
      if (!IsFor(event, state, role)) continue;
      std::optional<Client> client = Reach(state, role, event == "verifier refused");
      if (!client) continue;
      client->lost = false;
      if (state == "finished") client->closed.reset();
      events.at(event)(*client, state);
      EXPECT_EQ(Came(*client, event), outcome)
          << event << ", " << state << ", " << pake::RoleName(role);
      ++driven;
    }
  }
  EXPECT_GT(driven, 350);
}

}  // namespace
}  // namespace wormhole::core
