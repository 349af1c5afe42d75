#include "tests/conformance/side.h"

#include <utility>

namespace wormhole::conformance {

Side::Side(Role role, std::string app_id, std::string data, Bends bends)
    : role_(role), app_id_(std::move(app_id)), data_(std::move(data)), bends_(std::move(bends)) {
  if (initiator()) handshake_.sid = RandomBytes(32);
}

void Side::Learn(uint32_t channel_id, std::string words) {
  channel_id_ = channel_id;
  words_ = std::move(words);
  handshake_.ci = ChannelInfo(app_id_, channel_id_);
}

std::string Side::peer_side() const {
  const std::string& ad = initiator() ? handshake_.ad_r : handshake_.ad_i;
  return ad.size() < 16 ? "" : ad.substr(ad.size() - 16);
}

// --- What comes.

std::string Side::Take(const std::string& bytes) {
  ExchangeFrame frame;
  if (!frame.ParseFromString(bytes)) return "its frame cannot be parsed";
  ++taken_;
  if (taken_ == 1) return TakePake(frame);
  if (!initiator() && taken_ == 2) {
    if (!frame.has_confirm()) return "its frame 2 is no Confirm";
    if (frame.confirm().tag() != keys_.Tag(Role::kInitiator)) return "its T_i is wrong";
    confirmed_ = true;
    return "";
  }
  if (taken_ == (initiator() ? 2u : 3u)) return TakeSealed(frame);
  return "it sent a frame more than an exchange has";
}

std::string Side::CheckAd(const std::string& ad) const {
  const std::string front = Lv({kProtocol, NameOf(Other(role_)), "\x01"}) + "\x10";
  if (ad.size() != front.size() + 16 || ad.compare(0, front.size(), front) != 0) {
    return "its associated data is not that of its role and version 1";
  }
  return "";
}

std::string Side::TakePake(const ExchangeFrame& frame) {
  if (initiator() ? !frame.has_pake_receiver() : !frame.has_pake_initiator()) {
    return "its frame 1 is not the one of its role";
  }
  if (initiator()) {
    handshake_.share_r = frame.pake_receiver().share();
    handshake_.ad_r = frame.pake_receiver().associated_data();
    Derive();
    if (const std::string wrong = CheckAd(handshake_.ad_r); !wrong.empty()) return wrong;
    if (frame.pake_receiver().tag() != keys_.Tag(Role::kReceiver)) return "its T_r is wrong";
    confirmed_ = true;
    return "";
  }
  handshake_.sid = frame.pake_initiator().sid();
  handshake_.share_i = frame.pake_initiator().share();
  handshake_.ad_i = frame.pake_initiator().associated_data();
  if (handshake_.sid.size() != 32) return "its sid does not have 32 bytes";
  MakeShare();
  Derive();
  return CheckAd(handshake_.ad_i);
}

std::string Side::TakeSealed(const ExchangeFrame& frame) {
  if (!frame.has_sealed() || frame.sealed().number() != 0) return "its last frame is no Sealed 0";
  const auto plaintext = keys_.Open(Other(role_), 0, frame.sealed().box());
  if (!plaintext) return "its box is not the one that its plaintext has";
  exchange::v1::Data data;
  if (!data.ParseFromString(*plaintext)) return "its plaintext is no Data";
  peer_data_ = data.data();
  return "";
}

// --- What goes.

void Side::MakeShare() {
  std::string& share = initiator() ? handshake_.share_i : handshake_.share_r;
  std::string& ad = initiator() ? handshake_.ad_i : handshake_.ad_r;
  const std::string generator = GeneratorOf(words_, handshake_.ci, handshake_.sid);
  share = Multiply(scalar_, generator).value_or("");
  if (bends_.share) bends_.share(*this, share);
  ad = AssociatedData(role_, "\x01", own_side_);
  if (bends_.ad) bends_.ad(*this, ad);
}

// K of a share that is none is of no use to anybody.
void Side::Derive() {
  const std::string& theirs = initiator() ? handshake_.share_r : handshake_.share_i;
  keys_ = Keys(handshake_, Multiply(scalar_, theirs).value_or(std::string(32, '\0')));
  keyed_ = true;
}

ExchangeFrame Side::Sealed() {
  exchange::v1::Data data;
  data.set_data(data_);
  std::string plaintext = data.SerializeAsString();
  if (bends_.plaintext) bends_.plaintext(plaintext);
  std::string box = keys_.Seal(role_, 0, plaintext);
  if (bends_.box) bends_.box(*this, box);
  ExchangeFrame frame;
  frame.mutable_sealed()->set_box(box);
  return frame;
}

std::optional<ExchangeFrame> Side::Next() {
  ExchangeFrame frame;
  if (initiator() && made_ == 0) {
    MakeShare();
    frame.mutable_pake_initiator()->set_sid(handshake_.sid);
    frame.mutable_pake_initiator()->set_share(handshake_.share_i);
    frame.mutable_pake_initiator()->set_associated_data(handshake_.ad_i);
    return frame;
  }
  if (!initiator() && made_ == 0 && keyed_) {
    frame.mutable_pake_receiver()->set_share(handshake_.share_r);
    frame.mutable_pake_receiver()->set_associated_data(handshake_.ad_r);
    frame.mutable_pake_receiver()->set_tag(keys_.Tag(Role::kReceiver));
    return frame;
  }
  if (!confirmed_) return std::nullopt;
  if (initiator() && made_ == 1) {
    frame.mutable_confirm()->set_tag(keys_.Tag(Role::kInitiator));
    return frame;
  }
  if (made_ + 1 == total()) return Sealed();
  return std::nullopt;
}

std::vector<std::string> Side::Due() {
  std::vector<std::string> due;
  while (knows_code() && !stopped_) {
    std::optional<ExchangeFrame> frame = Next();
    if (!frame) break;
    ++made_;
    if (bends_.frame) bends_.frame(*this, made_, *frame);
    std::string bytes = frame->SerializeAsString();
    if (bends_.bytes) bends_.bytes(made_, bytes);
    stopped_ = bytes.empty();
    if (!stopped_) due.push_back(std::move(bytes));
  }
  return due;
}

}  // namespace wormhole::conformance
