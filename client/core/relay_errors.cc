#include "client/core/relay_errors.h"

#include "absl/strings/str_cat.h"
#include "client/core/failure.h"
#include "proto/error/error_detail.h"
#include "wormhole/outcome.h"

namespace wormhole::core {
namespace {

using absl::StatusCode;
using error::ErrorDetail;
using Kind = StreamEnd::Kind;

constexpr size_t kMaxForeignBytes = 200;

absl::string_view View(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

StreamEnd Final(Kind kind, Reason reason, StatusCode code, std::string_view message) {
  return {.kind = kind, .failure = Failure(reason, code, message)};
}

StreamEnd Delayed(const ErrorDetail& detail) {
  if (!detail.has_retry_delay()) return {};
  return {.kind = Kind::kDelayed, .delay = ToDuration(detail.retry_delay())};
}

// CLOSED, to a member that has not finished. Nothing authenticates what the relay says: before the
// key is confirmed a scary mood means WrongCode, after it that the exchange was aborted.
StreamEnd Closed(rendezvous::v1::Mood mood, const ExchangeState& state) {
  const std::string place = Place(state);
  switch (mood) {
    case rendezvous::v1::MOOD_SCARY: {
      if (state.confirmed) {
        return Final(
            Kind::kGone, Reason::kAborted, StatusCode::kAborted,
            absl::StrCat("the other side closed ", place,
                         " because a message was not genuine; begin again with a new code"));
      }
      StreamEnd end = {.kind = Kind::kGone, .failure = WrongCode(state)};
      end.burn = true;
      return end;
    }
    case rendezvous::v1::MOOD_LONELY:
      return Final(
          Kind::kGone, Reason::kPeerGaveUp, StatusCode::kCancelled,
          absl::StrCat("the other side of ", place, " gave up; begin again with a new code"));
    case rendezvous::v1::MOOD_ERRORY:
      return Final(
          Kind::kGone, Reason::kAborted, StatusCode::kAborted,
          absl::StrCat("the other side of ", place, " failed; begin again with a new code"));
    case rendezvous::v1::MOOD_HAPPY:
      return Final(Kind::kGone, Reason::kStaleState, StatusCode::kFailedPrecondition,
                   absl::StrCat(place, " was finished already, by a newer copy of this state"));
    default:
      return Final(Kind::kGone, Reason::kNoSuchCode, StatusCode::kNotFound,
                   absl::StrCat(place, " was closed; begin again with a new code"));
  }
}

StreamEnd Gone(const ErrorDetail& detail, const ExchangeState& state) {
  if (!state.joined && state.terms.role == pake::Role::kInitiator) {
    return Final(
        Kind::kGone, Reason::kNoSuchCode, StatusCode::kNotFound,
        absl::StrCat("the relay was asked for ", Place(state),
                     ", and answered that it is gone already; begin again, and use another "
                     "relay if this goes on"));
  }
  if (!state.joined) {
    return Final(Kind::kGone, Reason::kNoSuchCode, StatusCode::kNotFound,
                 absl::StrCat("there is no ", Place(state),
                              ": mistyped, used, closed or expired; ask for a new code"));
  }
  if (detail.reason() == ErrorDetail::REASON_CLOSED) return Closed(detail.mood(), state);
  return Final(Kind::kGone, Reason::kNoSuchCode, StatusCode::kNotFound,
               absl::StrCat(Place(state),
                            detail.reason() == ErrorDetail::REASON_EXPIRED
                                ? " has expired; begin again with a new code, and a longer ttl"
                                : " is unknown to the relay, which may have lost its memory; begin "
                                  "again with a new code"));
}

StreamEnd Refused(const absl::Status& status, const ExchangeState& state, bool try_to_close) {
  StreamEnd end = Final(Kind::kRefused, Reason::kRefused, status.code(),
                        absl::StrCat("the relay refused ", Place(state), ": ",
                                     Harmless({status.message().data(), status.message().size()})));
  end.try_to_close = try_to_close;
  return end;
}

// A relay gives an id out again when the channel has expired and its quarantine is over, or when
// the relay was rolled back. In all other cases a side that had joined would find its channel.
StreamEnd NotMember(const absl::Status& status, const ExchangeState& state) {
  if (!state.joined) return Refused(status, state, /*try_to_close=*/false);
  return Final(Kind::kGone, Reason::kNoSuchCode, StatusCode::kNotFound,
               absl::StrCat(Place(state),
                            " is over, or the relay has lost it, and its number is others' by now; "
                            "begin again with a new code"));
}

StreamEnd Stale(std::string_view why, const ExchangeState& state) {
  StreamEnd end = Final(Kind::kRefused, Reason::kStaleState, StatusCode::kFailedPrecondition,
                        absl::StrCat(Place(state), ": ", View(why)));
  end.try_to_close = true;
  return end;
}

// Whether the peer had finished is in its log, and only an `Opened` says where that log ends. If
// this error decided, the outcome would hang on which came first, our post or the peer's leaving.
// But a peer that leaves without our answer cannot have proved that it knows the code, whatever its
// log holds.
StreamEnd PeerLeft(const ExchangeState& state) {
  if (state.peer_data) {
    return Stale("the other side has finished and left; this state is too old", state);
  }
  if (!IsUnproven(state)) return {};
  return {.kind = Kind::kGone, .failure = Unproven(state), .try_to_close = true};
}

// By a bearer token, or the lack of one. Behind some proxies gRPC has a code and a message of its
// own in place of the relay's.
StreamEnd NotAuthorized(const absl::Status& status, const ExchangeState& state) {
  StreamEnd end = Refused(status, state, /*try_to_close=*/false);
  const bool unknown = status.code() == StatusCode::kUnauthenticated;
  const std::string_view remedy =
      unknown ? "the bearer token that it wants is wrong or missing: give one that it takes"
              : "its bearer token is missing, wrong, or for another app-id or side: give one that "
                "the relay takes for this";
  end.failure = Failure(Reason::kNotAuthorized,
                        unknown ? StatusCode::kUnauthenticated : StatusCode::kPermissionDenied,
                        absl::StrCat(end.failure.message(), "; ", View(remedy)));
  return end;
}

// What to do about a refusal without a reason that does not get better by itself; empty for all
// others. An exchange that was let in once knows that the relay is there: what hides it, for
// example a proxy in the middle of an update, does not stay.
std::string_view Remedy(StatusCode code, bool answered) {
  if (answered) return "";
  switch (code) {
    case StatusCode::kUnimplemented:
      return "this address has no such service: check the relay's name and port";
    case StatusCode::kPermissionDenied:
      return "something before the relay turns this program away: ask who runs it to let it in, or "
             "use another relay";
    default:
      return "";
  }
}

// Fails at once, not when the timeout is over.
StreamEnd WithoutReason(const absl::Status& status, const ExchangeState& state, bool answered) {
  if (status.code() == StatusCode::kUnauthenticated) return NotAuthorized(status, state);
  const std::string_view remedy = Remedy(status.code(), answered);
  if (remedy.empty()) return {};
  StreamEnd end = Refused(status, state, /*try_to_close=*/false);
  end.failure = Failure(Reason::kRefused, status.code(),
                        absl::StrCat(end.failure.message(), "; ", View(remedy)));
  return end;
}

// A newer relay's reason: its code says whether trying again can help.
StreamEnd UnknownReason(const absl::Status& status, const ExchangeState& state) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
      return Refused(status, state, /*try_to_close=*/true);
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
      return Refused(status, state, /*try_to_close=*/false);
    case StatusCode::kUnauthenticated:
      return NotAuthorized(status, state);
    default:
      return {};
  }
}

StreamEnd JudgeReason(const absl::Status& status, const ErrorDetail& detail,
                      const ExchangeState& state) {
  switch (detail.reason()) {
    case ErrorDetail::REASON_NEVER_ALLOCATED:
    case ErrorDetail::REASON_CLOSED:
    case ErrorDetail::REASON_EXPIRED:
      return Gone(detail, state);
    case ErrorDetail::REASON_TAKEN:
      return Final(Kind::kRefused, Reason::kTaken, StatusCode::kAlreadyExists,
                   absl::StrCat(Place(state),
                                " is in use or was a short while ago; agree on "
                                "another code, or let the relay choose the number"));
    case ErrorDetail::REASON_CROWDED:
      return Final(Kind::kRefused, Reason::kCrowded, StatusCode::kAlreadyExists,
                   absl::StrCat("two others have ", Place(state),
                                "; somebody else used this code: ask for a new one"));
    case ErrorDetail::REASON_MALFORMED:
    case ErrorDetail::REASON_CONFLICT:
    case ErrorDetail::REASON_WINDOW:
      return Refused(status, state, /*try_to_close=*/true);
    case ErrorDetail::REASON_NOT_MEMBER:
      return NotMember(status, state);
    case ErrorDetail::REASON_SIDE_IN_USE:
      return Refused(status, state, /*try_to_close=*/false);
    case ErrorDetail::REASON_NOT_ALLOWED:
      return NotAuthorized(status, state);
    case ErrorDetail::REASON_STALE_STATE:
      return Stale("the relay knows a newer state of this exchange; resume from the newest", state);
    case ErrorDetail::REASON_PEER_LEFT:
      return PeerLeft(state);
    case ErrorDetail::REASON_SUPERSEDED:
      return {.kind = Kind::kSuperseded};
    case ErrorDetail::REASON_BUSY:
    case ErrorDetail::REASON_DRAINING:
    case ErrorDetail::REASON_STORE_AWAY:
      return Delayed(detail);
    default:
      return UnknownReason(status, state);
  }
}

constexpr char kGuess[] =
    "the other side could have tested the code with our answer, and did not prove that it knows "
    "it: "
    "treat this as a guess, and use a new code";

}  // namespace

StreamEnd JudgeEnd(const absl::Status& status, const ExchangeState& state, bool answered) {
  const std::optional<ErrorDetail> detail = error::DetailOf(status);
  StreamEnd end = detail.has_value() ? JudgeReason(status, *detail, state)
                                     : WithoutReason(status, state, answered);
  if (!IsUnproven(state)) return end;
  if (end.kind == Kind::kGone && ReasonOf(end.failure) != Reason::kWrongCode) {
    end.failure = Unproven(state);
    end.burn = true;
  } else if (end.kind == Kind::kRefused) {
    end.failure = Failure(ReasonOf(end.failure), end.failure.code(),
                          absl::StrCat(end.failure.message(), GuessNote(state)));
  }
  return end;
}

bool IsUnproven(const ExchangeState& state) {
  return state.terms.role == pake::Role::kReceiver && state.made() > 0 && !state.confirmed;
}

absl::Status Unproven(const ExchangeState& state) {
  return Failure(
      Reason::kUnproven, StatusCode::kUnauthenticated,
      absl::StrCat(Place(state), " is over before the key was confirmed", GuessNote(state)));
}

std::string GuessNote(const ExchangeState& state) {
  return IsUnproven(state) ? absl::StrCat("; ", kGuess) : "";
}

bool IsBareExhaustion(const absl::Status& status) {
  return status.code() == StatusCode::kResourceExhausted && !error::DetailOf(status).has_value();
}

StreamEnd TooLarge(const absl::Status& status, uint64_t number, const ExchangeState& state) {
  const size_t size = state.frames[number - state.dropped - 1].size();
  StreamEnd end = Refused(status, state, /*try_to_close=*/true);
  end.failure = Failure(
      Reason::kRefused, status.code(),
      absl::StrCat(end.failure.message(), "; message ", number, " of ", size,
                   " bytes was refused twice: send less, or use another relay", GuessNote(state)));
  return end;
}

absl::Status WrongCode(const ExchangeState& state) {
  return Failure(Reason::kWrongCode, StatusCode::kUnauthenticated,
                 absl::StrCat("the two codes of ", Place(state),
                              " differ, or somebody guessed; begin again with a new code"));
}

std::string Place(const ExchangeState& state) {
  const uint32_t id = state.channel_id != 0 ? state.channel_id : state.agreed_id;
  const std::string channel = id == 0 ? "a new channel" : absl::StrCat("channel ", id);
  return absl::StrCat(channel, " of ", state.terms.app_id, " at ",
                      state.terms.relay.empty() ? "the relay" : state.terms.relay);
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

std::string Harmless(std::string_view foreign) {
  std::string text(foreign.substr(0, kMaxForeignBytes));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

}  // namespace wormhole::core
