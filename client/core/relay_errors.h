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
// knows the code. The answer holds T_r, with which whoever plays the initiator can test one guess:
// if nothing more comes of it, that guess was all that he wanted.
bool IsUnproven(const ExchangeState& state);
// The failure of one whose channel is lost then.
absl::Status Unproven(const ExchangeState& state);
// "; " and the same warning, for failures that have a reason of their own; else empty.
std::string GuessNote(const ExchangeState& state);

// Ended by RESOURCE_EXHAUSTED without a reason: not by a relay's rules, but by its receive limit or
// by what stands before it.
bool IsBareExhaustion(const absl::Status& status);
// What a stream's second such end right after own frame `number` means, which is there still.
StreamEnd TooLarge(const absl::Status& status, uint64_t number, const ExchangeState& state);

// "channel 4 of example.com/app1 at localhost:47180", for the messages of errors.
std::string Place(const ExchangeState& state);

// Any content is taken; a hostile one gives a hostile duration, not a crash.
absl::Duration ToDuration(const google::protobuf::Duration& duration);

// Foreign text for a message: printable ASCII, cut to a bearable length.
std::string Harmless(std::string_view foreign);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_RELAY_ERRORS_H_
