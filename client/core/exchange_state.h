// All state of one side of an exchange: what Serialize() writes and Restore() reads.
#ifndef WORMHOLE_CLIENT_CORE_EXCHANGE_STATE_H_
#define WORMHOLE_CLIENT_CORE_EXCHANGE_STATE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/core/code.h"
#include "client/core/exchange_config.h"
#include "client/pake/cpace.h"
#include "client/pake/key_schedule.h"
#include "client/pake/secret_struct.h"
#include "proto/wire/side.h"
#include "wormhole/outcome.h"
#include "wormhole/rendezvous/v1/rendezvous.pb.h"

namespace wormhole::core {

// Everything secret, in one guarded allocation.
struct ExchangeSecrets {
  uint8_t token[wire::kTokenBytes];
  uint8_t scalar[pake::kScalarBytes];  // zeros once the key is confirmed
  uint8_t prk[pake::kPrkBytes];        // zeros before there is one
  uint8_t words[kMaxWordsBytes];       // zeros once the key is confirmed
  size_t words_size;
};

// How an exchange failed, kept so that a restored one fails the same way again.
struct SavedFailure {
  Reason reason = Reason::kNone;
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string message;
};

struct ExchangeState {
  ExchangeTerms terms;  // never change; but a failure wipes `data`

  // --- The channel.
  uint32_t agreed_id = 0;              // initiator: the id of a code agreed beforehand, or 0
  std::optional<absl::Time> deadline;  // wall clock; set by the first Start
  uint32_t channel_id = 0;             // 0: not known yet (initiator only)
  bool joined = false;                 // an Opened other than WAITING came: from now on, resume

  // --- The key. Values of the transcript are empty until they are known.
  pake::SecretStruct<ExchangeSecrets> secrets;
  std::string sid;
  std::string own_share, own_ad;
  std::string peer_share, peer_ad;
  bool has_prk = false;
  bool confirmed = false;  // the peer's tag has been verified; words and scalar are wiped
  bool verifier_accepted = false;

  // --- The two logs. `frames` holds the own ones (dropped, dropped + frames.size()].
  uint64_t dropped = 0;  // Posted, and passed by the peer's cursor
  std::deque<std::string> frames;
  uint64_t cursor = 0;  // the last frame of the peer that was accepted
  // The highest number that the relay has ever said to be posted. This and `cursor` are how far the
  // exchange has got: a relay that says the same again on each stream makes no progress by it.
  uint64_t posted = 0;
  // The last own frame that was under way when a stream ended with a RESOURCE_EXHAUSTED without a
  // reason: the frame may be too large for a proxy before the relay. 0: none so far.
  uint64_t exhausted = 0;
  std::optional<std::string> peer_data;

  // --- The end. `mood` is set when the channel is to be closed (or was).
  bool finished = false;
  bool burnt = false;  // a guess was spent in vain: never to be used again
  bool closed = false;
  rendezvous::v1::Mood mood = rendezvous::v1::MOOD_UNSPECIFIED;
  std::optional<SavedFailure> failure;

  // The number of own frames that have been made; the number of all that there will be; the number
  // of all that the peer makes.
  uint64_t made() const { return dropped + frames.size(); }
  uint64_t own_total() const { return terms.role == pake::Role::kInitiator ? 3 : 2; }
  uint64_t peer_total() const { return terms.role == pake::Role::kInitiator ? 2 : 3; }
  bool may_seal() const { return confirmed && (verifier_accepted || !terms.confirm_verifier); }

  pake::SecretView token() const {
    const ExchangeSecrets& s = secrets.get(pake::SecretAccess{});
    return pake::SecretView(s.token, sizeof(s.token));
  }
  pake::SecretView scalar() const {
    const ExchangeSecrets& s = secrets.get(pake::SecretAccess{});
    return pake::SecretView(s.scalar, sizeof(s.scalar));
  }
  pake::SecretView prk() const {
    const ExchangeSecrets& s = secrets.get(pake::SecretAccess{});
    return pake::SecretView(s.prk, sizeof(s.prk));
  }
  pake::SecretView words() const {
    const ExchangeSecrets& s = secrets.get(pake::SecretAccess{});
    return pake::SecretView(s.words, s.words_size);
  }
};

}  // namespace wormhole::core

#endif  // WORMHOLE_CLIENT_CORE_EXCHANGE_STATE_H_
