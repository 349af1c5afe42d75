#include "client/core/saved_state.h"

#include <sodium.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/core/failure.h"
#include "client/core/json_fields.h"
#include "client/core/schedule.h"
#include "client/core/state_check.h"
#include "proto/wire/limits.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using nlohmann::json;
using pake::SecretAccess;
using pake::SecretSpan;

constexpr char kFormat[] = "wormhole-sync-state";
constexpr uint64_t kVersion = 1;
// The longest state holds 65,000 bytes of own data, three frames of up to 66,000 and 65,535 of the
// peer's, in base64.
constexpr size_t kMaxTextBytes = 1 << 20;
constexpr size_t kMaxPeerDataBytes = 65'535;
constexpr size_t kMaxAdBytes = 512;
constexpr size_t kMaxMessageBytes = 4096;
constexpr size_t kMaxScheduleBytes = 64 * 1024;
// An object, and in it an array or another object.
constexpr int kMaxDepth = 2;
constexpr uint64_t kMaxMicros = uint64_t{1} << 53;

// --- Writing.

void PutIfAny(json& object, const char* field, std::string_view bytes) {
  if (!bytes.empty()) object[field] = ToBase64(bytes);
}

void PutKeys(json& object, const ExchangeState& state) {
  if (!state.confirmed) {
    object["words"] = ToBase64(state.words().string(SecretAccess{}));
    object["scalar"] = ToBase64(state.scalar().string(SecretAccess{}));
  }
  if (state.has_prk) object["prk"] = ToBase64(state.prk().string(SecretAccess{}));
  PutIfAny(object, "sid", state.sid);
  PutIfAny(object, "own_share", state.own_share);
  PutIfAny(object, "own_ad", state.own_ad);
  PutIfAny(object, "peer_share", state.peer_share);
  PutIfAny(object, "peer_ad", state.peer_ad);
  object["data"] = ToBase64(state.terms.data);
  if (state.peer_data) object["peer_data"] = ToBase64(*state.peer_data);
  object["frames"] = json::array();
  for (const std::string& frame : state.frames) object["frames"].push_back(ToBase64(frame));
}

void PutFailure(json& object, const SavedFailure& failure) {
  object["failure"] = {{"reason", static_cast<unsigned>(failure.reason)},
                       {"code", static_cast<unsigned>(failure.code)},
                       {"message", failure.message.substr(0, kMaxMessageBytes)}};
}

uint64_t Micros(absl::Duration duration) {
  return static_cast<uint64_t>(absl::ToInt64Microseconds(duration));
}

json ToJson(const ExchangeState& state) {
  json object = {
      {"format", kFormat},
      {"version", kVersion},
      {"role", pake::RoleName(state.terms.role)},
      {"app_id", state.terms.app_id},
      {"relay", state.terms.relay},
      {"agreed_id", state.agreed_id},
      {"wait", state.terms.wait},
      {"check_in", state.terms.check_in},
      {"confirm_verifier", state.terms.confirm_verifier},
      {"schedule", FormatSchedule(state.terms.schedule)},
      {"timeout_us", Micros(state.terms.timeout)},
      {"ttl_us", Micros(state.terms.ttl)},
      {"channel_id", state.channel_id},
      {"joined", state.joined},
      {"token", ToBase64(state.token().string(SecretAccess{}))},
      {"confirmed", state.confirmed},
      {"verifier_accepted", state.verifier_accepted},
      {"dropped", state.dropped},
      {"cursor", state.cursor},
      {"posted", state.posted},
      {"exhausted", state.exhausted},
      {"finished", state.finished},
      {"burnt", state.burnt},
      {"closed", state.closed},
      {"mood", static_cast<unsigned>(state.mood)},
  };
  if (state.deadline) {
    object["deadline_us"] = static_cast<uint64_t>(absl::ToUnixMicros(*state.deadline));
  }
  if (state.failure) {
    PutFailure(object, *state.failure);
  } else {
    PutKeys(object, state);
  }
  return object;
}

// --- Reading.

void ReadConfig(JsonFields& fields, ExchangeState& state) {
  const std::string role = fields.Text("role", 16);
  if (role == pake::RoleName(pake::Role::kReceiver)) {
    state.terms.role = pake::Role::kReceiver;
  } else if (role != pake::RoleName(pake::Role::kInitiator)) {
    fields.Reject("role");
  }
  state.terms.app_id = fields.Text("app_id", 255);
  state.terms.relay = fields.Text("relay", 1024);
  state.agreed_id = static_cast<uint32_t>(fields.Number("agreed_id", 0, UINT32_MAX));
  state.terms.wait = fields.Flag("wait");
  state.terms.check_in = fields.Flag("check_in");
  state.terms.confirm_verifier = fields.Flag("confirm_verifier");
  absl::StatusOr<Schedule> schedule = ParseSchedule(fields.Text("schedule", kMaxScheduleBytes));
  if (schedule.ok()) {
    state.terms.schedule = *std::move(schedule);
  } else {
    fields.Reject("schedule");
  }
  state.terms.timeout = absl::Microseconds(fields.Number("timeout_us", 1, kMaxMicros));
  state.terms.ttl = absl::Microseconds(fields.Number("ttl_us", 1, kMaxMicros));
}

void ReadProgress(JsonFields& fields, ExchangeState& state) {
  if (fields.Has("deadline_us")) {
    state.deadline = absl::FromUnixMicros(fields.Number("deadline_us", 0, kMaxMicros));
  }
  state.channel_id = static_cast<uint32_t>(fields.Number("channel_id", 0, UINT32_MAX));
  state.joined = fields.Flag("joined");
  state.confirmed = fields.Flag("confirmed");
  state.verifier_accepted = fields.Flag("verifier_accepted");
  state.dropped = fields.Number("dropped", 0, state.own_total());
  state.cursor = fields.Number("cursor", 0, state.peer_total());
  // Older builds did not save these.
  if (fields.Has("posted")) state.posted = fields.Number("posted", 0, state.own_total());
  if (fields.Has("exhausted")) state.exhausted = fields.Number("exhausted", 0, state.own_total());
  state.finished = fields.Flag("finished");
  state.closed = fields.Flag("closed");
  state.mood = static_cast<rendezvous::v1::Mood>(
      fields.Number("mood", 0, static_cast<uint64_t>(rendezvous::v1::MOOD_ERRORY)));
}

void ReadFrames(JsonFields& fields, ExchangeState& state) {
  const json* frames = fields.Array("frames");
  if (frames == nullptr) return;
  if (frames->size() > state.own_total()) return fields.Reject("frames");
  for (const json& value : *frames) {
    std::string frame;
    if (!FromBase64(value, wire::kMinFrameLimit, frame)) return fields.Reject("frames");
    state.frames.push_back(std::move(frame));
  }
}

void ReadKeys(JsonFields& fields, ExchangeState& state) {
  ExchangeSecrets& secrets = state.secrets.get(SecretAccess{});
  if (!state.confirmed) {
    secrets.words_size =
        fields.SecretUpTo("words", SecretSpan(secrets.words, sizeof(secrets.words)));
    fields.Secret("scalar", SecretSpan(secrets.scalar, sizeof(secrets.scalar)));
  }
  state.has_prk = fields.Has("prk");
  if (state.has_prk) fields.Secret("prk", SecretSpan(secrets.prk, sizeof(secrets.prk)));
  state.sid = fields.Bytes("sid", 0, pake::kSidBytes);
  state.own_share = fields.Bytes("own_share", 0, pake::kShareBytes);
  state.own_ad = fields.Bytes("own_ad", 0, kMaxAdBytes);
  state.peer_share = fields.Bytes("peer_share", 0, pake::kShareBytes);
  state.peer_ad = fields.Bytes("peer_ad", 0, kMaxAdBytes);
  state.terms.data = fields.Bytes("data", 0, wire::kMaxDataBytes);
  if (fields.Has("peer_data")) state.peer_data = fields.Bytes("peer_data", 0, kMaxPeerDataBytes);
  ReadFrames(fields, state);
}

void ReadFailure(JsonFields& fields, ExchangeState& state) {
  const json* object = fields.Object("failure");
  if (object == nullptr) return;
  JsonFields inner(*object);
  SavedFailure failure;
  failure.reason =
      static_cast<Reason>(inner.Number("reason", 1, static_cast<uint64_t>(kLastReason)));
  failure.code = static_cast<absl::StatusCode>(
      inner.Number("code", 1, static_cast<uint64_t>(absl::StatusCode::kUnauthenticated)));
  failure.message = inner.Text("message", 2 * kMaxMessageBytes);
  if (!inner.ok()) fields.Reject(absl::StrCat("failure.", inner.bad_field()));
  state.failure = std::move(failure);
}

absl::Status Corrupt(std::string_view field) {
  return Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                 absl::StrCat("this saved state is corrupt: its field \"",
                              absl::string_view(field.data(), field.size()),
                              "\" is missing or wrong; use an intact copy, or begin again"));
}

// The fields that every version of the format has in the same form.
absl::Status CheckHeader(JsonFields& fields) {
  if (fields.Text("format", 64) != kFormat || !fields.ok()) return Corrupt("format");
  const uint64_t version = fields.Number("version", 1, UINT64_MAX);
  if (!fields.ok()) return Corrupt("version");
  if (version > kVersion) {
    return Failure(Reason::kStaleState, absl::StatusCode::kFailedPrecondition,
                   "this saved state was written by a newer version; update this program");
  }
  const bool burnt = fields.Flag("burnt");
  if (!fields.ok()) return Corrupt("burnt");
  if (burnt) {
    return Failure(
        Reason::kWrongCode, absl::StatusCode::kFailedPrecondition,
        "this saved state is used up: its one guess failed; begin again with a new code");
  }
  return absl::OkStatus();
}

// Discards what is no JSON, and what is nested more deeply than any state: WipeStrings recurses.
json ParseShallow(std::string_view text) {
  bool deep = false;
  const auto keep = [&deep](int depth, json::parse_event_t event, json&) {
    const bool opens =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) deep = true;
    return !deep;
  };
  json value = json::parse(text, keep, /*allow_exceptions=*/false);
  return deep ? json(json::value_t::discarded) : value;
}

absl::StatusOr<ExchangeState> FromJson(const json& object) {
  JsonFields fields(object);
  if (absl::Status status = CheckHeader(fields); !status.ok()) return status;
  ExchangeState state;
  auto secrets = pake::SecretStruct<ExchangeSecrets>::Create();
  if (!secrets.ok()) return WithReason(secrets.status(), Reason::kInternal);
  state.secrets = *std::move(secrets);
  ExchangeSecrets& s = state.secrets.get(SecretAccess{});
  fields.Secret("token", SecretSpan(s.token, sizeof(s.token)));
  ReadConfig(fields, state);
  ReadProgress(fields, state);
  if (fields.Has("failure")) {
    ReadFailure(fields, state);
  } else {
    ReadKeys(fields, state);
  }
  if (!fields.ok()) return Corrupt(fields.bad_field());
  if (const std::string_view misfit = FindInconsistency(state); !misfit.empty())
    return Corrupt(misfit);
  return state;
}

}  // namespace

std::string SerializeState(const ExchangeState& state) {
  json object = ToJson(state);
  std::string text = object.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  WipeStrings(object);
  return text;
}

absl::StatusOr<ExchangeState> ParseState(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                   "this is no saved state: it is longer than any can be");
  }
  json object = ParseShallow(text);
  if (!object.is_object()) {
    return Failure(Reason::kInvalidArgument, absl::StatusCode::kInvalidArgument,
                   "this is no saved state, or a damaged one: it is not a JSON object");
  }
  absl::StatusOr<ExchangeState> state = FromJson(object);
  WipeStrings(object);
  return state;
}

}  // namespace wormhole::core
