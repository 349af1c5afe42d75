#include "client/core/handshake.h"

#include <sodium.h>

#include <cstring>
#include <utility>

#include "absl/status/statusor.h"
#include "client/pake/associated_data.h"
#include "client/pake/cpace.h"
#include "client/pake/sealed.h"
#include "client/pake/verifier_words.h"
#include "proto/wire/limits.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::core {
namespace {

using exchange::v1::ExchangeFrame;
using pake::Role;
using pake::SecretAccess;

// The token has 32 bytes by construction, so this cannot fail.
wire::Side OwnSide(const ExchangeState& state) {
  return *wire::SideFromToken(state.token().string(SecretAccess{}));
}

// The six values in the order of the roles. `ci` must outlive the result.
pake::Transcript TranscriptOf(const ExchangeState& state, std::string_view ci) {
  const bool initiator = state.terms.role == Role::kInitiator;
  return {.ci = ci,
          .sid = state.sid,
          .share_i = initiator ? state.own_share : state.peer_share,
          .ad_i = initiator ? state.own_ad : state.peer_ad,
          .share_r = initiator ? state.peer_share : state.own_share,
          .ad_r = initiator ? state.peer_ad : state.own_ad};
}

absl::StatusOr<std::string> OwnShare(const ExchangeState& state, std::string_view sid) {
  const pake::Generator generator = pake::CalculateGenerator(
      state.words(), pake::ChannelInfo(state.terms.app_id, state.channel_id), sid);
  return pake::Share(generator, state.scalar());
}

// Fills state.prk from K and the transcript's values, which are all there.
void DeriveKeys(ExchangeState& state, const pake::SharedPoint& k) {
  const std::string ci = pake::ChannelInfo(state.terms.app_id, state.channel_id);
  const pake::Prk prk = pake::DerivePrk(TranscriptOf(state, ci), k);
  std::memcpy(state.secrets.get(SecretAccess{}).prk, prk.data(SecretAccess{}), prk.size());
  state.has_prk = true;
}

void ForgetKeys(ExchangeState& state) {
  sodium_memzero(state.secrets.get(SecretAccess{}).prk, pake::kPrkBytes);
  state.has_prk = false;
  state.peer_share.clear();
  state.peer_ad.clear();
}

// --- The receiver takes frames 1 and 2 of the initiator.

FrameVerdict TakePakeInitiator(ExchangeState& state, const exchange::v1::PakeInitiator& frame) {
  if (frame.sid().size() != pake::kSidBytes) return FrameVerdict::kBad;
  const absl::StatusOr<std::string> own_share = OwnShare(state, frame.sid());
  if (!own_share.ok()) return FrameVerdict::kBad;
  const absl::StatusOr<pake::SharedPoint> k =
      pake::ScalarMultVfy(state.scalar(), frame.share(), *own_share);
  if (!k.ok()) return FrameVerdict::kBad;
  const wire::Side own_side = OwnSide(state);
  const auto ad = pake::ParseInitiatorAd(frame.associated_data(), own_side);
  if (!ad.ok()) return FrameVerdict::kBad;
  const absl::StatusOr<uint8_t> version = pake::ChooseVersion(ad->versions);
  if (!version.ok()) return FrameVerdict::kNoCommonVersion;
  state.sid = frame.sid();
  state.own_share = *own_share;
  state.own_ad = pake::ReceiverAd(*version, own_side);
  state.peer_share = frame.share();
  state.peer_ad = frame.associated_data();
  DeriveKeys(state, *k);
  return FrameVerdict::kAccepted;
}

FrameVerdict TakeConfirm(ExchangeState& state, const exchange::v1::Confirm& frame) {
  if (!Keys(state).VerifyTag(Role::kInitiator, frame.tag())) return FrameVerdict::kBad;
  state.confirmed = true;
  WipeCode(state);
  return FrameVerdict::kAccepted;
}

// --- The initiator takes frame 1 of the receiver.

FrameVerdict TakePakeReceiver(ExchangeState& state, const exchange::v1::PakeReceiver& frame) {
  if (state.own_share.empty()) return FrameVerdict::kBad;  // an answer to nothing
  const absl::StatusOr<pake::SharedPoint> k =
      pake::ScalarMultVfy(state.scalar(), frame.share(), state.own_share);
  if (!k.ok()) return FrameVerdict::kBad;
  const auto ad =
      pake::ParseReceiverAd(frame.associated_data(), pake::kSupportedVersions, OwnSide(state));
  if (!ad.ok()) return FrameVerdict::kBad;
  state.peer_share = frame.share();
  state.peer_ad = frame.associated_data();
  DeriveKeys(state, *k);
  if (!Keys(state).VerifyTag(Role::kReceiver, frame.tag())) {
    ForgetKeys(state);
    return FrameVerdict::kBad;
  }
  state.confirmed = true;
  WipeCode(state);
  return FrameVerdict::kAccepted;
}

// --- Either takes the last frame of the other: the data.

FrameVerdict TakeSealed(ExchangeState& state, const exchange::v1::Sealed& frame) {
  if (frame.number() != 0) return FrameVerdict::kBad;
  absl::StatusOr<std::string> plaintext =
      pake::Open(Keys(state), pake::OtherRole(state.terms.role), 0, frame.box());
  if (!plaintext.ok()) return FrameVerdict::kBad;
  exchange::v1::Data data;
  const bool parsed = data.ParseFromString(*plaintext);
  sodium_memzero(plaintext->data(), plaintext->size());
  // No program that keeps to the protocol sends more, even though the seal is good.
  if (!parsed || data.data().size() > wire::kMaxDataBytes) {
    sodium_memzero(data.mutable_data()->data(), data.data().size());
    return FrameVerdict::kBad;
  }
  state.peer_data = std::move(*data.mutable_data());
  return FrameVerdict::kAccepted;
}

// The table of section 4, by the reader's role and the frame's number: anything else is bad.
FrameVerdict Take(ExchangeState& state, uint64_t number, const ExchangeFrame& frame) {
  const bool initiator = state.terms.role == Role::kInitiator;
  if (initiator && number == 1 && frame.has_pake_receiver()) {
    return TakePakeReceiver(state, frame.pake_receiver());
  }
  if (!initiator && number == 1 && frame.has_pake_initiator()) {
    return TakePakeInitiator(state, frame.pake_initiator());
  }
  if (!initiator && number == 2 && frame.has_confirm()) return TakeConfirm(state, frame.confirm());
  if (number == state.peer_total() && frame.has_sealed()) return TakeSealed(state, frame.sealed());
  return FrameVerdict::kBad;
}

void Append(ExchangeState& state, const ExchangeFrame& frame) {
  state.frames.push_back(frame.SerializeAsString());
}

absl::Status MakePakeInitiator(ExchangeState& state) {
  absl::StatusOr<std::string> share = OwnShare(state, state.sid);
  if (!share.ok()) return absl::InternalError("the saved scalar is unusable");
  state.own_share = *std::move(share);
  state.own_ad = pake::InitiatorAd(pake::kSupportedVersions, OwnSide(state));
  ExchangeFrame frame;
  frame.mutable_pake_initiator()->set_sid(state.sid);
  frame.mutable_pake_initiator()->set_share(state.own_share);
  frame.mutable_pake_initiator()->set_associated_data(state.own_ad);
  Append(state, frame);
  return absl::OkStatus();
}

void MakePakeReceiver(ExchangeState& state) {
  ExchangeFrame frame;
  frame.mutable_pake_receiver()->set_share(state.own_share);
  frame.mutable_pake_receiver()->set_associated_data(state.own_ad);
  frame.mutable_pake_receiver()->set_tag(Keys(state).Tag(Role::kReceiver));
  Append(state, frame);
}

void MakeConfirm(ExchangeState& state) {
  ExchangeFrame frame;
  frame.mutable_confirm()->set_tag(Keys(state).Tag(Role::kInitiator));
  Append(state, frame);
}

absl::Status MakeSealed(ExchangeState& state) {
  exchange::v1::Data data;
  data.set_data(state.terms.data);
  std::string plaintext = data.SerializeAsString();
  absl::StatusOr<std::string> box = pake::Seal(Keys(state), state.terms.role, 0, plaintext);
  sodium_memzero(plaintext.data(), plaintext.size());
  if (!box.ok()) return box.status();
  ExchangeFrame frame;
  frame.mutable_sealed()->set_box(*std::move(box));
  Append(state, frame);
  return absl::OkStatus();
}

}  // namespace

FrameVerdict TakePeerFrame(ExchangeState& state, std::string_view bytes) {
  ExchangeFrame frame;
  if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return FrameVerdict::kBad;
  const FrameVerdict verdict = Take(state, state.cursor + 1, frame);
  if (verdict == FrameVerdict::kAccepted) ++state.cursor;
  return verdict;
}

absl::Status MakeDueFrames(ExchangeState& state) {
  const bool initiator = state.terms.role == Role::kInitiator;
  if (initiator) {
    if (state.made() == 0 && state.joined) {
      if (absl::Status status = MakePakeInitiator(state); !status.ok()) return status;
    }
    if (state.made() == 1 && state.confirmed) MakeConfirm(state);
  } else if (state.made() == 0 && state.has_prk) {
    MakePakeReceiver(state);
  }
  if (state.made() + 1 == state.own_total() && state.may_seal()) return MakeSealed(state);
  return absl::OkStatus();
}

pake::KeySchedule Keys(const ExchangeState& state) {
  const std::string ci = pake::ChannelInfo(state.terms.app_id, state.channel_id);
  return pake::KeySchedule(state.prk(), pake::HashTranscript(TranscriptOf(state, ci)));
}

std::string VerifierText(const ExchangeState& state) {
  std::string text;
  for (const uint16_t index : pake::VerifierWordIndices(Keys(state).Verifier())) {
    if (!text.empty()) text += ' ';
    text += Word(index);
  }
  return text;
}

void WipeCode(ExchangeState& state) {
  ExchangeSecrets& secrets = state.secrets.get(SecretAccess{});
  sodium_memzero(secrets.words, sizeof(secrets.words));
  sodium_memzero(secrets.scalar, sizeof(secrets.scalar));
  secrets.words_size = 0;
}

void WipeAll(ExchangeState& state) {
  WipeCode(state);
  ForgetKeys(state);
  sodium_memzero(state.terms.data.data(), state.terms.data.size());
  state.terms.data.clear();
  if (state.peer_data) sodium_memzero(state.peer_data->data(), state.peer_data->size());
  state.peer_data.reset();
  for (std::string& frame : state.frames) frame.clear();
  state.sid.clear();
  state.own_share.clear();
  state.own_ad.clear();
  state.confirmed = false;
  state.dropped = state.made();
  state.frames.clear();
}

}  // namespace wormhole::core
