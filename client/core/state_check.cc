#include "client/core/state_check.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "client/core/exchange_config.h"
#include "client/core/schedule.h"
#include "proto/wire/app_id.h"
#include "proto/wire/limits.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::core {
namespace {

using exchange::v1::ExchangeFrame;
using pake::Role;
using pake::SecretAccess;

constexpr absl::Duration kLongest = absl::Hours(24 * 366);

bool Initiator(const ExchangeState& s) { return s.terms.role == Role::kInitiator; }

std::string_view TermsInconsistency(const ExchangeState& s) {
  if (!wire::CheckAppId(s.terms.app_id).ok()) return "app_id";
  if (!CheckRelayName(s.terms.relay).ok()) return "relay";
  if (s.agreed_id > wire::kMaxChannelId || (s.agreed_id != 0 && !Initiator(s))) return "agreed_id";
  if (s.terms.wait && Initiator(s)) return "wait";
  if (!CheckSchedule(s.terms.schedule).ok()) return "schedule";
  if (s.terms.timeout <= absl::ZeroDuration() || s.terms.timeout > kLongest) return "timeout_us";
  if (s.terms.ttl < s.terms.timeout || s.terms.ttl > kLongest) return "ttl_us";
  return "";
}

std::string_view ChannelInconsistency(const ExchangeState& s) {
  if (s.channel_id > wire::kMaxChannelId) return "channel_id";
  if (Initiator(s) && s.joined != (s.channel_id != 0)) return "channel_id";
  if (!Initiator(s) && s.channel_id == 0) return "channel_id";
  if (s.agreed_id != 0 && s.joined && s.channel_id != s.agreed_id) return "channel_id";
  if (s.joined && !s.deadline) return "deadline_us";
  if (!s.joined && (s.cursor > 0 || s.made() > 0)) return "joined";
  return "";
}

std::string_view EndInconsistency(const ExchangeState& s) {
  const bool happy = s.mood == rendezvous::v1::MOOD_HAPPY;
  if (s.finished != happy) return "mood";
  if (s.failure && s.finished) return "finished";
  if (!s.failure && !s.finished && (s.closed || s.mood != rendezvous::v1::MOOD_UNSPECIFIED)) {
    return "closed";
  }
  return "";
}

// A scalar that the group's arithmetic takes: reduced and not zero.
bool IsScalar(pake::SecretView scalar) {
  pake::WipedArray<pake::kScalarSeedBytes> wide;
  std::memcpy(wide.data(SecretAccess{}), scalar.data(SecretAccess{}), scalar.size());
  const pake::Scalar reduced = pake::ScalarFromUniform(wide);
  return reduced.view().Equals(scalar) &&
         sodium_is_zero(scalar.data(SecretAccess{}), scalar.size()) == 0;
}

bool AreWords(pake::SecretView words) {
  const std::string_view text = words.string(SecretAccess{});
  size_t hyphens = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') {
      ++hyphens;
      if (i == 0 || i + 1 == text.size() || text[i - 1] == '-') return false;
    } else if (text[i] < 'a' || text[i] > 'z') {
      return false;
    }
  }
  return hyphens + 1 >= kMinWords && hyphens + 1 <= kMaxWords;
}

std::string_view SecretInconsistency(const ExchangeState& s) {
  if (!s.confirmed && !AreWords(s.words())) return "words";
  if (!s.confirmed && !IsScalar(s.scalar())) return "scalar";
  if (s.verifier_accepted && !(s.confirmed && s.terms.confirm_verifier)) return "verifier_accepted";
  return "";
}

// All of a value or none of it.
bool Present(std::string_view value, size_t size, bool expected) {
  return value.size() == (expected ? size : 0);
}

// What is known of the transcript follows from the two logs: a side's own share from its first
// frame (the receiver's: from the initiator's), the peer's from the peer's first.
std::string_view TranscriptInconsistency(const ExchangeState& s) {
  const bool heard = s.cursor >= 1;
  const bool spoke = Initiator(s) ? s.made() >= 1 : heard;
  if (!Present(s.sid, pake::kSidBytes, Initiator(s) || heard)) return "sid";
  if (!Present(s.own_share, pake::kShareBytes, spoke)) return "own_share";
  if (s.own_ad.empty() == spoke) return "own_ad";
  if (!Present(s.peer_share, pake::kShareBytes, heard)) return "peer_share";
  if (s.peer_ad.empty() == heard) return "peer_ad";
  if (s.has_prk != heard) return "prk";
  if (s.confirmed != (s.cursor >= (Initiator(s) ? 1u : 2u))) return "confirmed";
  if (s.peer_data.has_value() != (s.cursor == s.peer_total())) return "peer_data";
  return "";
}

bool IsFrame(const ExchangeState& s, uint64_t number, const std::string& bytes) {
  ExchangeFrame frame;
  if (!frame.ParseFromString(bytes)) return false;
  if (number == s.own_total()) return frame.has_sealed() && frame.sealed().number() == 0;
  if (!Initiator(s)) return frame.has_pake_receiver();
  return number == 1 ? frame.has_pake_initiator() : frame.has_confirm();
}

std::string_view LogInconsistency(const ExchangeState& s) {
  if (s.made() > s.own_total()) return "frames";
  if (s.made() == s.own_total() && !s.may_seal()) return "frames";
  if (s.made() >= 2 && !s.confirmed) return "frames";
  if (s.made() == 0 && s.cursor > 0 && Initiator(s)) return "frames";
  if (s.made() >= 1 && s.cursor == 0 && !Initiator(s)) return "frames";
  if (s.finished && (s.made() != s.own_total() || !s.peer_data)) return "finished";
  for (size_t i = 0; i < s.frames.size(); ++i) {
    if (!IsFrame(s, s.dropped + i + 1, s.frames[i])) return "frames";
  }
  return "";
}

}  // namespace

std::string_view FindInconsistency(const ExchangeState& state) {
  using Check = std::string_view (*)(const ExchangeState&);
  for (const Check check : {&TermsInconsistency, &ChannelInconsistency, &EndInconsistency}) {
    if (const std::string_view field = check(state); !field.empty()) return field;
  }
  if (state.failure) return "";  // its keys and frames are wiped
  for (const Check check : {&SecretInconsistency, &TranscriptInconsistency, &LogInconsistency}) {
    if (const std::string_view field = check(state); !field.empty()) return field;
  }
  return "";
}

}  // namespace wormhole::core
