#include "tests/simulation/wire_judge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proto/error/error_detail.h"
#include "proto/wire/side.h"
#include "wormhole/exchange/v1/exchange.pb.h"

namespace wormhole::simulation {

namespace v1 = rendezvous::v1;

void WireJudge::Raise(std::string what) {
  stage_->trace->Line("WRONG: ", what);
  violations_.push_back(std::move(what));
}

void WireJudge::Note(int party, uint64_t stream, const char* what,
                     const google::protobuf::Message& said) {
  if (!stage_->trace->on()) return;
  std::string text = said.ShortDebugString();
  if (text.size() > 200) text = absl::StrCat(text.substr(0, 200), "...");
  stage_->trace->Line("stream ", stream, ": ", party, " ", what, " ", text);
}

size_t WireJudge::Guesses(int party) const {
  const auto found = first_frames_.find(party);
  return found == first_frames_.end() ? 0 : found->second.size();
}

std::vector<WireJudge::Arrival> WireJudge::ReceiversOf(const std::string& initiator) const {
  std::vector<Arrival> receivers;
  for (const auto& [place, sides] : members_) {
    const auto& [channel, is_initiators] = place;
    if (!is_initiators || !sides.contains(initiator)) continue;
    const auto others = members_.find({channel, false});
    if (others == members_.end()) continue;
    for (const auto& [side, at] : others->second) receivers.push_back({.side = side, .at = at});
  }
  return receivers;
}

void WireJudge::OnRequest(int party, uint64_t number, const v1::AttachRequest& request) {
  Note(party, number, "->", request);
  if (request.has_open()) return OnOpen(party, number, request.open());
  StreamInfo& stream = streams_[number];
  if (request.has_post()) OnPost(party, stream, request.post());
  if (request.has_close()) {
    presence_.OnClose(number, stage_->loop->now());
    endings_.OnClose(number, request.close().mood());
    ids_.OnClose(number, request.close().mood());
  }
  if (request.has_ack()) {
    uint64_t& cursor = cursors_[stream.side];
    cursor = std::max(cursor, request.ack().number());
  }
}

void WireJudge::OnOpen(int party, uint64_t number, const v1::Open& open) {
  StreamInfo& stream = streams_[number];
  stream.app_id = open.app_id();
  stream.side = wire::SideFromToken(open.token()).value_or("");
  stream.cursor = open.cursor();
  stream.begun = stage_->loop->now();
  opened_[stream.side].insert(number);
  presence_.OnOpen(number, stream.app_id, stream.side, stream.begun);
  endings_.OnOpen(party, number, stream.app_id, stream.side);
  ids_.OnOpen(number, stream.side, open);
  third_parties_.OnOpen(party, number, stream.side, open);
  RaiseIf(pace_.OnOpen(party));
  if (open.has_allocate()) roles_[stream.side] = true;
  if (open.has_claim()) roles_[stream.side] = false;
  stream.initiator = roles_[stream.side];
  uint64_t& cursor = cursors_[stream.side];
  cursor = std::max(cursor, open.cursor());
}

void WireJudge::OnPost(int party, StreamInfo& stream, const v1::Post& post) {
  if (!stream.channel.has_value()) return Raise("a post before opened");
  stream.posted = std::max(stream.posted, post.number());
  SideLog& log = Log(stream, stream.initiator);
  const auto [entry, is_new] = log.sent.try_emplace(post.number(), post.frame());
  // A side that is lost may make room for another one in the same channel.
  if (!is_new && entry->second != post.frame() && !store_->WentBack()) {
    Raise(absl::StrCat("frame ", post.number(), " was sent with two contents"));
  }
  CheckNonce(post.frame());
  if (!IsCheat(party)) CheckWindow(stream, log, post.number());
}

void WireJudge::CheckNonce(const std::string& frame) {
  exchange::v1::ExchangeFrame parsed;
  if (!parsed.ParseFromString(frame) || !parsed.has_sealed()) return;
  const std::string& box = parsed.sealed().box();
  const auto [entry, is_new] = boxes_.try_emplace(box.substr(0, 24), box);
  if (!is_new && entry->second != box) Raise("one nonce was used for two plaintexts");
}

void WireJudge::CheckWindow(const StreamInfo& stream, const SideLog& log, uint64_t number) {
  if (number <= stream.peer_cursor) return;
  if (number - stream.peer_cursor > stream.limits.window_frames()) {
    Raise(absl::StrCat("frame ", number, " is outside of the window"));
  }
  size_t bytes = 0;
  for (auto at = log.sent.upper_bound(stream.peer_cursor); at != log.sent.end(); ++at) {
    if (at->first <= number) bytes += at->second.size();
  }
  if (bytes > stream.limits.window_bytes()) Raise("more bytes than the window holds");
}

void WireJudge::OnSaid(uint64_t number, const v1::AttachResponse& response) {
  StreamInfo& stream = streams_[number];
  Note(-1, number, "says", response);
  stream.said.push_back(stage_->loop->now());
  const bool joined =
      response.has_message() ||
      (response.has_opened() && response.opened().state() == v1::Opened::STATE_ATTACHED);
  if (joined && !store_->IsDurableMember(stream.app_id, stream.side)) {
    Raise("the relay speaks to a member that is not durable");
  }
  CheckSuperseded(number, stream, joined);
  CheckOwnPast(number, stream, response);
  RaiseIf(presence_.OnSaid(number, response, stage_->loop->now()));
  RaiseIf(endings_.OnSaid(number));
  RaiseIf(third_parties_.OnSaid(number, response));
  if (response.has_posted()) CheckTaken(stream, response.posted().number());
}

WireJudge::ChannelName WireJudge::NameOf(const StreamInfo& stream, const v1::Opened& opened) {
  return absl::StrCat(stream.app_id, "/", opened.channel_id(), "/", opened.expires_at().seconds(),
                      ".", opened.expires_at().nanos());
}

void WireJudge::CheckOwnPast(uint64_t number, StreamInfo& stream,
                             const v1::AttachResponse& response) {
  const bool attached =
      response.has_opened() && response.opened().state() == v1::Opened::STATE_ATTACHED;
  if (attached) {
    stream.joined = NameOf(stream, response.opened());
    members_[{*stream.joined, stream.initiator}].try_emplace(stream.side, stage_->loop->now());
    endings_.OnAttached(number, *stream.joined, response.opened());
    RaiseIf(ids_.OnAttached(number, *stream.joined, response.opened().channel_id()));
    third_parties_.OnAttached(number, *stream.joined, response.opened().channel_id());
    stream.limits = response.opened().limits();
    stream.posted = std::max(stream.posted, response.opened().stored());
  }
  if (!stream.joined.has_value()) return;
  const std::pair<ChannelName, bool> peer{*stream.joined, !stream.initiator};
  const uint64_t accepted = ToldByPeer(stream);
  const uint64_t peer_cursor =
      attached ? response.opened().peer_cursor()
               : (response.has_peer_status() ? response.peer_status().peer_cursor() : 0);
  if (peer_cursor > accepted) {
    Raise(absl::StrCat("cursor ", peer_cursor, " is none that the peer has told: ", accepted));
  }
  if (!attached) return;
  const std::map<uint64_t, std::string>& sent = logs_[peer].sent;
  const uint64_t last = sent.empty() ? 0 : sent.rbegin()->first;
  if (response.opened().peer_stored() > last) Raise("frames are stored that the peer never sent");
}

uint64_t WireJudge::ToldByPeer(const StreamInfo& stream) {
  uint64_t told = 0;
  for (const auto& [side, since] : members_[{*stream.joined, !stream.initiator}]) {
    told = std::max(told, cursors_[side]);
  }
  return told;
}

void WireJudge::CheckTaken(const StreamInfo& stream, uint64_t number) {
  if (!stream.joined.has_value()) return;
  if (number > stream.posted) {
    Raise(absl::StrCat("frame ", number, " is confirmed on a stream on which it was not posted"));
  }
  if (number <= ToldByPeer(stream) + stream.limits.window_frames()) return;
  Raise(absl::StrCat("the relay takes frame ", number, ", beyond the window"));
}

void WireJudge::CheckSuperseded(uint64_t number, StreamInfo& stream, bool joined) {
  const absl::Duration now = stage_->loop->now();
  stream.spoken_to = now;
  if (joined && !stream.attached.has_value()) {
    stream.attached = now;
    attached_[stream.side].insert(number);
  }
  if (!stream.attached.has_value()) return;
  for (const uint64_t other : attached_[stream.side]) {
    const StreamInfo& rival = streams_[other];
    if (other == number) continue;
    const absl::Duration known =
        std::max({*stream.attached, *rival.attached, store_->InTouchSince()}) +
        store_->TimeToAgree();
    if (rival.spoken_to > known) {
      Raise(absl::StrCat("one side is attached by streams ", other, " and ", number));
    }
  }
}

bool WireJudge::MayBeSuperseded(const StreamInfo& stream, uint64_t number) const {
  for (const uint64_t other : opened_.at(stream.side)) {
    if (other == number) continue;
    const std::optional<absl::Duration> over = streams_.at(other).over;
    if (!over || *over + store_->TimeToAgree() > stream.begun) return true;
  }
  return false;
}

// Nobody else's stream supersedes one, whoever has had the channel's id before.
void WireJudge::OnEnding(uint64_t number, const absl::Status& status, bool heard) {
  presence_.OnEnding(number, status, stage_->loop->now());
  // A channel that is lost with what the store has forgotten is told of as one that has expired.
  std::optional<std::string> wrong = endings_.OnEnding(number, status, heard);
  if (!store_->WentBack()) RaiseIf(std::move(wrong));
  ids_.OnEnding(number, status);
  third_parties_.OnEnding(number, status);
  const bool superseded = error::ReasonOf(status) == error::ErrorDetail::REASON_SUPERSEDED;
  // A side that the store has lost may be followed by another one before its relay knows.
  if (superseded && !MayBeSuperseded(streams_[number], number) && !store_->WentBack()) {
    Raise(absl::StrCat("stream ", number, " is superseded, and is the only one of its side"));
  }
}

void WireJudge::OnRelayOver(uint64_t number) {
  streams_[number].over = stage_->loop->now();
  presence_.OnOver(number, stage_->loop->now());
  ids_.OnOver(number);
  third_parties_.OnOver(number);
}

void WireJudge::OnResponse(int party, uint64_t number, const v1::AttachResponse& response) {
  Note(party, number, "<-", response);
  StreamInfo& stream = streams_[number];
  const absl::Duration said = stream.said.front();
  stream.said.pop_front();
  pace_.OnResponse(party, response);
  if (response.has_opened()) OnOpened(stream, response.opened(), said);
  if (response.has_message()) OnMessage(party, stream, response.message());
  if (response.has_posted()) OnPosted(stream, response.posted().number(), said);
  if (response.has_peer_status()) stream.peer_cursor = response.peer_status().peer_cursor();
}

void WireJudge::OnEnded(int party, uint64_t, const absl::Status& status) {
  pace_.OnEnded(party, status);
}

void WireJudge::OnSilence(int party, uint64_t number) { RaiseIf(pace_.OnSilence(party, number)); }

uint64_t WireJudge::DurableAt(const SideLog& log, absl::Duration when) const {
  const absl::Duration lost_until = store_->WentBack().value_or(-absl::InfiniteDuration());
  uint64_t durable = 0;
  for (const Durable& one : log.durable) {
    if (one.said > lost_until && one.heard <= when) durable = std::max(durable, one.number);
  }
  return durable;
}

void WireJudge::OnOpened(StreamInfo& stream, const v1::Opened& opened, absl::Duration said) {
  if (opened.state() != v1::Opened::STATE_ATTACHED) return;
  if (stream.channel.has_value()) Raise("opened twice");
  stream.channel = NameOf(stream, opened);
  stream.limits = opened.limits();
  stream.peer_cursor = opened.peer_cursor();
  stream.next_message = std::max(stream.cursor, opened.peer_forgotten()) + 1;
  SideLog& own = Log(stream, stream.initiator);
  if (opened.stored() < DurableAt(own, stream.begun)) {
    Raise(absl::StrCat("posted frame ", DurableAt(own, stream.begun),
                       " was lost: ", opened.stored(), " are stored"));
  }
  const SideLog& theirs = Log(stream, !stream.initiator);
  if (opened.peer_stored() < DurableAt(theirs, stream.begun)) {
    Raise("the peer's posted frames are not to be read");
  }
  if (opened.peer_forgotten() > cursors_[stream.side]) {
    Raise(absl::StrCat("frame ", opened.peer_forgotten(), " was forgotten before its time"));
  }
  OnPosted(stream, opened.stored(), said);
}

void WireJudge::OnPosted(StreamInfo& stream, uint64_t number, absl::Duration said) {
  if (!stream.channel.has_value()) return Raise("posted before opened");
  SideLog& log = Log(stream, stream.initiator);
  if (number > 0 && (log.sent.empty() || number > log.sent.rbegin()->first)) {
    return Raise(absl::StrCat("posted frame ", number, " was never sent"));
  }
  log.durable.push_back({.said = said, .heard = stage_->loop->now(), .number = number});
}

void WireJudge::OnMessage(int party, StreamInfo& stream, const v1::Message& message) {
  if (!stream.channel.has_value()) return Raise("a message before opened");
  if (message.number() > stream.next_message) {
    Raise(absl::StrCat("message ", message.number(), " comes before ", stream.next_message));
  }
  stream.next_message = std::max(stream.next_message, message.number() + 1);
  const SideLog& theirs = Log(stream, !stream.initiator);
  const auto sent = theirs.sent.find(message.number());
  if (sent == theirs.sent.end()) {
    Raise("a message that the peer never sent");
  } else if (sent->second != message.frame() && !store_->WentBack()) {
    Raise("a message with other bytes than the peer's");
  }
  if (message.number() == 1) first_frames_[party].insert(message.frame());
}

}  // namespace wormhole::simulation
