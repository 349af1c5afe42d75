#include "tests/simulation/etcd/etcd_front.h"

#include <array>
#include <utility>

namespace wormhole::simulation {

EtcdFront::EtcdFront(EtcdWorld* world, SimRandom random)
    : world_(world),
      random_(random),
      clock_(std::make_unique<relay::RelayClock>([this] { return Machine(); })) {}

relay::MachineTime EtcdFront::Machine() const {
  const EventLoop& loop = *world_->stage().loop;
  return {.wall = loop.wall(), .boot = absl::Hours(1) + loop.now()};
}

absl::Time EtcdFront::WallNow(absl::Time /*world*/) { return clock_->Now(); }

absl::Status EtcdFront::Start(relay::StoreListener* listener) {
  store_.reset();
  clock_ = std::make_unique<relay::RelayClock>([this] { return Machine(); });
  started_ = false;
  runs_ = true;
  auto end = std::make_unique<EtcdEnd>(world_, random_.Fork(), away_, [this] { NoteTrouble(); });
  end_ = end.get();
  std::array<uint8_t, 16> id = {};
  random_.Fill(id.data(), id.size());
  relay::EtcdOptions options;
  options.prefix = world_->prefix();
  options.relay_id = std::string(id.begin(), id.end());
  options.clock = clock_.get();
  options.presence_ttl = world_->presence_ttl();
  options.on_started = [this](const absl::Status& status) {
    started_ = status.ok();
    NoteTrouble();
  };
  store_ = relay::EtcdStore::Open(
      std::move(options), std::move(end),
      [loop = world_->stage().loop] { return absl::Hours(1) + loop->now(); });
  return store_->Start(listener);
}

// The store goes when the next process begins: what it has not answered is then told to nobody.
void EtcdFront::Crash() {
  if (!runs_) return;
  runs_ = false;
  end_->Die();
}

void EtcdFront::SetAway(bool away) {
  away_ = away;
  NoteTrouble();
  if (end_ != nullptr) end_->SetAway(away);
}

void EtcdFront::OnWritten() {
  if (runs_) end_->OnWritten();
}

absl::Duration EtcdFront::in_touch_since() const {
  const bool deaf = runs_ && (!started_ || !end_->watches());
  return away_ || deaf ? absl::InfiniteDuration() : trouble_at_;
}

void EtcdFront::Accept(const relay::ChannelRef& channel, relay::Role author, uint64_t cursor,
                       Done<relay::LogState> done) {
  if (world_->stage().flaws.early_forget) ++cursor;
  store_->Accept(channel, author, cursor, std::move(done));
}

}  // namespace wormhole::simulation
