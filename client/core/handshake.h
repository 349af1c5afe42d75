// The cryptographic course of an exchange (proto/PROTOCOL.md sections 3 and 4): which frames a side
// makes, and what it demands of the peer's. Pure and deterministic: the same state and the same
// peer frames give the same own frames, byte for byte, so that a state restored from an older copy
// makes again what it had made before.
#ifndef WORMHOLE_CLIENT_CORE_HANDSHAKE_H_
#define WORMHOLE_CLIENT_CORE_HANDSHAKE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/core/exchange_state.h"
#include "client/pake/key_schedule.h"

namespace wormhole::core {

// What became of a frame of the peer.
enum class FrameVerdict {
  kAccepted,         // the state has moved on by this one frame
  kBad,              // the state is as before; section 5 says what follows
  kNoCommonVersion,  // the state is as before; the two programs share no protocol version
};

// Takes the peer's frame number state.cursor + 1.
FrameVerdict TakePeerFrame(ExchangeState& state, std::string_view frame);

// Appends to state.frames all frames that can be made by now. Fails only on a state whose scalar or
// generator is unusable, which a hostile saved state might hold: INTERNAL.
absl::Status MakeDueFrames(ExchangeState& state);

// Needs state.has_prk. The state must outlive it.
pake::KeySchedule Keys(const ExchangeState& state);

// The verifier as eight words with spaces. Needs state.confirmed.
std::string VerifierText(const ExchangeState& state);

// Wipes words and scalar, which nothing needs once the key is confirmed.
void WipeCode(ExchangeState& state);
// Wipes words, scalar, PRK, own and the peer's data, and the frames. Only the token stays: it
// closes the channel.
void WipeAll(ExchangeState& state);

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_HANDSHAKE_H_
