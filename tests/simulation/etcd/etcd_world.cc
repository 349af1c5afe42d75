#include "tests/simulation/etcd/etcd_world.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "relay/store/etcd/channel_state.h"
#include "tests/simulation/etcd/etcd_end.h"
#include "tests/simulation/etcd/etcd_front.h"

namespace wormhole::simulation {
namespace {

using Place = relay::EtcdKeys::Place;

constexpr char kOthersKey[] = "others/key";

// How often etcd looks for leases whose time is over.
constexpr absl::Duration kLeaseLook = absl::Milliseconds(500);

// Long enough that a relay which is well has it renewed in time.
absl::Duration PresenceTtl(const StorePlan& store, const GroupPlan& plan, absl::Duration tick) {
  const absl::Duration least = absl::Seconds(2) + 3 * store.max_commit + 3 * tick;
  return absl::Ceil(std::max(plan.lease, least), absl::Seconds(1));
}

}  // namespace

EtcdWorld::EtcdWorld(const Stage* stage, StorePlan store, GroupPlan plan, absl::Duration tick,
                     SimRandom random)
    : stage_(stage),
      store_(store),
      plan_(plan),
      tick_(tick),
      presence_ttl_(PresenceTtl(store, plan, tick)),
      random_(random),
      clocks_are_set_(random_.Chance(0.3)),
      compacts_(random_.Chance(0.5)) {
  LookAtLeases();
  if (compacts_) PlanCompaction();
  if (plan_.goes_back) PlanGoingBack();
}

EtcdWorld::~EtcdWorld() = default;

RelayStore* EtcdWorld::AddRelay() {
  const int number = static_cast<int>(fronts_.size()) + 1;
  fronts_.push_back(std::make_unique<EtcdFront>(this, random_.Fork(), number));
  return fronts_.back().get();
}

void EtcdWorld::LookAtLeases() {
  stage_->loop->After(kLeaseLook, [this] {
    etcd_.EndLeases(stage_->loop->now());
    OnWritten();
    LookAtLeases();
  });
}

void EtcdWorld::PlanCompaction() {
  stage_->loop->After(random_.Exponential(absl::Seconds(10)), [this] {
    if (!stage_->stormy()) return;
    Compact();
    PlanCompaction();
  });
}

void EtcdWorld::Compact() {
  const int64_t kept = random_.Below(20);
  stage_->trace->Line("etcd: compacts, but for ", kept, " revisions");
  etcd_.Compact(etcd_.revision() - kept);
  for (const auto& front : fronts_) front->OnCompacted(etcd_.compacted());
}

// Who has no watch misses what is compacted then.
void EtcdWorld::OnDeaf() {
  if (!compacts_ || !stage_->stormy() || !random_.Chance(0.3)) return;
  stage_->loop->After(random_.Between(absl::ZeroDuration(), absl::Seconds(1)),
                      [this] { Compact(); });
}

void EtcdWorld::PlanGoingBack() {
  stage_->loop->After(random_.Exponential(absl::Seconds(10)), [this] {
    stage_->trace->Line("etcd: is copied at revision ", etcd_.revision());
    const absl::Duration most = absl::Seconds(random_.Chance(0.5) ? 1 : 20);
    stage_->loop->After(random_.Between(absl::ZeroDuration(), most),
                        [this, copy = etcd_] { GoBack(copy); });
  });
}

void EtcdWorld::GoBack(const FakeEtcd& copy) {
  if (!stage_->stormy()) return;
  const bool new_token = random_.Chance(0.3);
  stage_->trace->Line("etcd: goes back from revision ", etcd_.revision(), " to ", copy.revision(),
                      new_token ? " under a new token" : "");
  const int64_t reached = etcd_.revision();
  std::vector<etcdserverpb::Event> lost;
  for (size_t i = etcd_.first_event(); i < etcd_.end_of_events(); ++i) {
    if (etcd_.event(i).kv().mod_revision() > copy.revision()) lost.push_back(etcd_.event(i));
  }
  const bool all = etcd_.compacted() <= copy.revision();
  etcd_.GoBack(copy, new_token, stage_->loop->now());
  ++history_;
  went_back_ = stage_->loop->now();
  // So that it is soon further on than any relay has seen it.
  if (random_.Chance(0.5)) WriteForOthers(reached - copy.revision() + random_.Below(10));
  judged_ = etcd_.end_of_events();
  records_.clear();
  etcd_.ForEach(keys_.Records(), [this](const FakeEtcd::KeyValue& kv) {
    const std::optional<Place> place = keys_.Parse(kv.key());
    const std::optional<relay::ChannelRecord> record = relay::ReadRecord(kv.value());
    if (place && record) records_[place->channel] = *record;
  });
  for (const auto& front : fronts_) {
    front->OnWentBack(copy.revision(), new_token, etcd_.revision() >= reached, lost, all);
  }
  if (random_.Chance(0.3)) PlanGoingBack();
}

void EtcdWorld::WriteForOthers(int64_t times) {
  stage_->trace->Line("etcd: others write ", times, " times");
  etcdserverpb::TxnRequest request;
  etcdserverpb::PutRequest* const put = request.add_success()->mutable_request_put();
  put->set_key(kOthersKey);
  for (; times > 0; --times) {
    put->set_value(absl::StrCat(times));
    (void)etcd_.Txn(request);
  }
}

void EtcdWorld::OnWritten() {
  if (judged_ == etcd_.end_of_events()) return;
  judged_ = std::max(judged_, etcd_.first_event());
  while (judged_ < etcd_.end_of_events()) Judge(etcd_.event(judged_++));
  for (const auto& front : fronts_) front->OnWritten();
}

void EtcdWorld::Judge(const etcdserverpb::Event& event) {
  if (plan_.goes_back) {
    stage_->trace->Line("etcd: revision ", event.kv().mod_revision(), " ",
                        event.type() == etcdserverpb::Event::PUT ? "writes " : "deletes ",
                        event.kv().key());
  }
  if (plan_.goes_back) {
    for (const auto& front : fronts_) front->OnEvent(event);
  }
  if (event.kv().key() == kOthersKey) return;
  if (!event.kv().key().starts_with(prefix_)) NoteWrong("a relay writes a key of others");
  if (event.type() == etcdserverpb::Event::PUT && event.kv().lease() == 0) {
    NoteWrong("a key is written that would stay for ever");
  }
  const std::optional<Place> place = keys_.Parse(event.kv().key());
  if (!place || place->kind != Place::Kind::kRecord) return;
  const auto found = records_.find(place->channel);
  if (event.type() == etcdserverpb::Event::DELETE) {
    if (found != records_.end()) records_.erase(found);
    return;
  }
  const std::optional<relay::ChannelRecord> record = relay::ReadRecord(event.kv().value());
  if (!record) return;
  std::optional<relay::ChannelSnapshot> before;
  if (found != records_.end()) before.emplace().record = found->second;
  if (BreaksRest(before, *record)) ++broken_rests_;
  for (const relay::Member& member : record->members) {
    members_.emplace(place->channel.app_id, member.side);
  }
  records_[place->channel] = *record;
}

bool EtcdWorld::IsDurableMember(const std::string& app_id, const std::string& side) const {
  return members_.contains({app_id, side});
}

bool EtcdWorld::HasChannels() const { return !records_.empty(); }

// What was asked before is answered soon, or never. Who does not know yet tells what was; so does
// who cannot know any more, since what would show it is compacted (ARCHITECTURE.md).
std::optional<absl::Duration> EtcdWorld::WentBack() const {
  if (history_ == 0) return std::nullopt;
  for (const auto& front : fronts_) {
    if (front->must_notice() || front->knows_of_lost()) return absl::InfiniteDuration();
  }
  return std::max(noticed_, went_back_ + EtcdEnd::kShortFailure + store_.max_commit);
}

bool EtcdWorld::HasAnyOf(Place::Kind kind) const {
  bool any = false;
  etcd_.ForEach(prefix_, [&](const FakeEtcd::KeyValue& kv) {
    const std::optional<Place> place = keys_.Parse(kv.key());
    any = any || (place && place->kind == kind);
  });
  return any;
}

std::vector<std::string> EtcdWorld::WrongsAtLast() const {
  std::vector<std::string> wrongs;
  for (const auto& front : fronts_) {
    if (front->must_notice()) wrongs.push_back("a relay does not notice that etcd was restored");
    if (front->is_deaf()) wrongs.push_back("a relay does not watch etcd any more");
  }
  return wrongs;
}

bool EtcdWorld::HasPresence() const { return HasAnyOf(Place::Kind::kPresence); }

std::vector<std::string> EtcdWorld::Wrongs() const {
  std::vector<std::string> wrongs = wrongs_;
  if (!records_.empty()) return wrongs;
  if (HasAnyOf(Place::Kind::kFrame)) wrongs.push_back("frames are left of channels that are gone");
  if (HasAnyOf(Place::Kind::kLog)) wrongs.push_back("logs are left of channels that are gone");
  return wrongs;
}

std::string EtcdWorld::PeerOf(const std::string& app_id, const std::string& side) const {
  const FakeEtcd::KeyValue* const kv = etcd_.Find(keys_.Side(app_id, side));
  const auto known = kv != nullptr ? relay::ReadSide(kv->value()) : std::nullopt;
  if (!known) return "";
  const auto found = records_.find({app_id, known->id});
  if (found == records_.end()) return "";
  for (const relay::Role role : relay::kRoles) {
    if (found->second.member(role).side == side) return found->second.member(Other(role)).side;
  }
  return "";
}

absl::Duration EtcdWorld::InTouchSince() const {
  // Where the copy says that sides are attached holds until its leases have ended.
  absl::Duration since = history_ == 0 ? absl::ZeroDuration() : went_back_ + Lease();
  for (const auto& front : fronts_) since = std::max(since, front->in_touch_since());
  return since;
}

absl::Duration EtcdWorld::TimeToAgree() const {
  return absl::Seconds(3) + EtcdEnd::kShortFailure + 10 * (plan_.max_news + store_.max_commit) +
         4 * tick_;
}

}  // namespace wormhole::simulation
