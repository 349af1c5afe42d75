#include "tests/simulation/etcd/etcd_front.h"

#include <array>
#include <utility>

#include "absl/time/time.h"

namespace wormhole::simulation {

EtcdFront::EtcdFront(EtcdWorld* world, SimRandom random, int number)
    : world_(world),
      random_(random),
      number_(number),
      clock_(std::make_unique<relay::RelayClock>([this] { return Machine(); })) {}

relay::MachineTime EtcdFront::Machine() const {
  const EventLoop& loop = *world_->stage().loop;
  return {.wall = loop.wall() + off_, .boot = absl::Hours(1) + loop.now()};
}

// Somebody sets it, wrong or right. It is right when a process begins: were all others to go before
// they have told of their time twice, that of the newcomer would be everybody's.
void EtcdFront::SetClock() {
  const bool wrong = random_.Chance(0.5);
  off_ = wrong ? random_.Between(absl::Hours(-3), absl::Hours(3)) : absl::ZeroDuration();
  world_->stage().trace->Line("etcd: the clock of relay ", number_, " is off by ",
                              absl::FormatDuration(off_));
}

absl::Time EtcdFront::WallNow(absl::Time /*world*/) { return clock_->Now(); }

absl::Status EtcdFront::Start(relay::StoreListener* listener) {
  // They go when there are new ones: the answers that the store still gives may call it.
  const std::unique_ptr<relay::RelayClock> old_clock = std::move(clock_);
  const std::unique_ptr<relay::EtcdStore> old_store = std::move(store_);
  off_ = absl::ZeroDuration();
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
  options.on_restored = [this] {
    world_->stage().trace->Line("etcd: relay ", number_, " notices that it went back");
    world_->NoteNoticed();
    if (!end_->TakeNoticed()) world_->NoteWrong("etcd is taken for restored");
  };
  if (world_->clocks_are_set()) PlanClock(++process_);
  store_ = relay::EtcdStore::Open(
      std::move(options), std::move(end),
      [loop = world_->stage().loop] { return absl::Hours(1) + loop->now(); });
  return store_->Start(listener);
}

void EtcdFront::Flush() {
  store_->Flush();
  const absl::Duration astray = clock_->Now() - world_->stage().loop->wall();
  if (absl::AbsDuration(astray - astray_) < absl::Seconds(1)) return;
  astray_ = astray;
  world_->stage().trace->Line("etcd: relay ", number_, " goes by a time that is off by ",
                              absl::FormatDuration(astray));
}

// While the process runs.
void EtcdFront::PlanClock(uint64_t process) {
  world_->stage().loop->After(random_.Exponential(absl::Seconds(15)), [this, process] {
    if (process != process_ || !runs_ || !world_->stage().stormy()) return;
    SetClock();
    PlanClock(process);
  });
}

// Nobody speaks any more of what was before etcd was restored.
void EtcdFront::NoteGone() {
  if (end_->must_notice() || end_->knows_of_lost()) world_->NoteNoticed();
  runs_ = false;
}

// The store goes when the next process begins, and answers then what it has not answered.
void EtcdFront::Crash() {
  if (!runs_) return;
  NoteGone();
  end_->Die();
}

// The store takes its lease back.
void EtcdFront::Leave() {
  if (!runs_) return;
  NoteGone();
  end_->Leave();
  store_.reset();
  end_ = nullptr;
}

void EtcdFront::SetAway(bool away) {
  away_ = away;
  NoteTrouble();
  if (end_ != nullptr) end_->SetAway(away);
}

void EtcdFront::OnWritten() {
  if (runs_) end_->OnWritten();
}

void EtcdFront::OnWentBack(int64_t revision, bool new_token, bool outrun,
                           const std::vector<etcdserverpb::Event>& lost, bool all) {
  if (!runs_) return;
  end_->OnWentBack(revision, new_token, outrun, lost, all);
  if (!end_->must_notice()) return;
  world_->stage().trace->Line("etcd: relay ", number_, " has to notice that");
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
