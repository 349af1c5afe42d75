// What the end of a stream means for an exchange: the table of errors in proto/PROTOCOL.md,
// section 2, from the client's side. Pure.
#ifndef WORMHOLE_CLIENT_CORE_RELAY_ERRORS_H_
#define WORMHOLE_CLIENT_CORE_RELAY_ERRORS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/core/exchange_state.h"
#include "google/protobuf/duration.pb.h"

namespace wormhole::core {

struct StreamEnd {
  enum class Kind {
    kLost,        // attach again
    kDelayed,     // attach again after `delay`
    kSuperseded,  // attach again by the schedule, and count
    kGone,        // the channel or the peer is gone, or never was: `failure` says how
    kRefused,     // final: `failure` says why
  };
  Kind kind = Kind::kLost;
  absl::Duration delay;
  absl::Status failure;       // with kGone and kRefused, as the exchange returns it
  bool burn = false;          // with kGone: the guess was spent
  bool try_to_close = false;  // the channel lives, and the peer should not wait
};

// `status` as the driver handed it in. `answered`: some `Opened` has come, in this process or, as
// far as `state` tells, in an earlier one.
StreamEnd JudgeEnd(const absl::Status& status, const ExchangeState& state, bool answered);

// WrongCode, whether seen here or told by the relay.
absl::Status WrongCode(const ExchangeState& state);

// Whether this is a receiver whose answer may be out, while the initiator has not proved that it
// knows the code. The answer holds T_r, with which an attacker in the initiator's place can test
// one guess. If the exchange ends there, the guess may have been all that the attacker wanted.
bool IsUnproven(const ExchangeState& state);
// The failure of such a receiver that has lost its channel.
absl::Status Unproven(const ExchangeState& state);
// "; " and the same warning, for failures that have a reason of their own; else empty.
std::string GuessNote(const ExchangeState& state);

// Whether a stream ended by RESOURCE_EXHAUSTED without a reason: then the relay's receive limit or
// a proxy before the relay ended it, not a rule of the protocol.
bool IsBareExhaustion(const absl::Status& status);
// What it means when a stream ends so for the second time after own frame `number`, which is still
// to be posted.
StreamEnd TooLarge(const absl::Status& status, uint64_t number, const ExchangeState& state);

// "channel 4 of example.com/app1 at localhost:47180", for the messages of errors.
std::string Place(const ExchangeState& state);

// Takes any content: a hostile one gives a hostile duration, not a crash.
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// Foreign text for a message: printable ASCII, cut to a bearable length.
std::string Harmless(std::string_view foreign);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_RELAY_ERRORS_H_
